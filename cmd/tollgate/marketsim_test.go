package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tollgate.dev/internal/marketsim"
)

func TestTheSimulatorListensToThisMachineUnlessItIsExposed(t *testing.T) {
	t.Parallel()
	for address, fine := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, ":0": false, "0.0.0.0:0": false, "10.0.0.1:0": false, "8090": false} {
		c := marketsimCommand{Listen: address}
		listener, err := c.listen(t.Context())
		if (err == nil) != fine {
			t.Errorf("%s: %v", address, err)
		}
		if err == nil {
			_ = listener.Close()
		}
	}
	c := marketsimCommand{Listen: "0.0.0.0:0", Expose: true}
	listener, err := c.listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
}

// served runs the command and gives what it says until its last line, and how
// to end it.
func served(t *testing.T, c marketsimCommand) (said string, end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := c.serve(ctx, slog.New(slog.DiscardHandler), writer)
		_ = writer.CloseWithError(io.EOF)
		ended <- err
	}()
	var b strings.Builder
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		b.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "For tests:") {
			break
		}
	}
	return b.String(), func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the command ended with %v", err)
		}
	}
}

func TestTheSimulatorSaysWhatTheOtherSideHasToBeToldAndKeepsItsFile(t *testing.T) {
	t.Parallel()
	c := marketsimCommand{
		Listen: "127.0.0.1:0", Seed: 1, Vendor: "http://vendor.example/", AWSProduct: "code", HuaweiCallback: "http://other.example/v2", HuaweiProduct: "p1",
		File: filepath.Join(t.TempDir(), "markets.json"),
	}
	said, end := served(t, c)
	base, keys := regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`).FindString(said), marketsim.TestKeys(1)
	for _, want := range []string{
		base + "/aws/products/code", "http://vendor.example/hooks/aws\n", keys.AWSSecretKey, base + "/alibaba/products/cmgj00000001",
		"http://vendor.example/hooks/alibaba,", keys.AlibabaKey, base + "/huawei/products/p1", "http://other.example/v2", keys.HuaweiSecretKey, base + "/control/",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%s is not said", want)
		}
	}
	if strings.Contains(said, "%!") {
		t.Error(said)
	}
	response, err := http.Post(base+"/control/act/aws/subscribe", "application/json", strings.NewReader(`{"account": "210987654321"}`))
	if err != nil {
		t.Fatal(err)
	}
	bought, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", response.StatusCode, err)
	}
	end()
	said, end = served(t, c)
	defer end()
	response, err = http.Get(regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`).FindString(said) + "/aws/")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	license := regexp.MustCompile(`l-[0-9a-f]{32}`).Find(bought)
	if err != nil || len(license) == 0 || !strings.Contains(string(page), string(license)) {
		t.Errorf("what was bought is forgotten: %v", err)
	}
}
