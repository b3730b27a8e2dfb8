package marketsim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Keys are what a seller has at each cloud. Those of TestKeys are made of a
// seed and known to everybody: they open nothing.
type Keys struct {
	AWSAccessKey, AWSSecretKey         string
	AlibabaKey                         string // signs what the cloud tells the vendor
	AlibabaAccessKey, AlibabaSecretKey string // of the main account
	AlibabaSubKey, AlibabaSubSecret    string // of a sub-account
	HuaweiKey                          string // signs what the cloud tells the vendor, and usage
	HuaweiAccessKey, HuaweiSecretKey   string // AK and SK
}

// TestKeys are the keys of a seed.
func TestKeys(seed uint64) Keys {
	key := func(name string, n int) string {
		sum := sha256.Sum256(fmt.Appendf(nil, "test key %s %d", name, seed))
		return hex.EncodeToString(sum[:])[:n]
	}
	return Keys{
		AWSAccessKey: "AKIASIM" + strings.ToUpper(key("aws id", 13)), AWSSecretKey: "test" + key("aws", 36),
		AlibabaKey: "test" + key("alibaba isv", 20), AlibabaAccessKey: "LTAISIM" + key("alibaba id", 13), AlibabaSecretKey: "test" + key("alibaba", 26),
		AlibabaSubKey: "LTAISUB" + key("alibaba sub id", 13), AlibabaSubSecret: "test" + key("alibaba sub", 26),
		HuaweiKey: "test" + key("huawei key", 28), HuaweiAccessKey: "HWSIM" + strings.ToUpper(key("huawei id", 15)), HuaweiSecretKey: "test" + key("huawei", 36),
	}
}
