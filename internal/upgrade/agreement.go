package upgrade

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"strings"
)

// AgreementVersion is the version of the opening agreement that is shown now.
// A text that somebody agreed to never changes; a new text is a new version.
const AgreementVersion = "2026-11-01"

//go:embed agreement/*.txt
var agreements embed.FS

// AgreementText is the current text in a language ("en" or "zh"): a title
// line, then paragraphs apart by empty lines.
func AgreementText(language string) string {
	if language != "zh" {
		language = "en"
	}
	text, err := agreements.ReadFile("agreement/" + AgreementVersion + "." + language + ".txt")
	if err != nil {
		panic("upgrade: the current agreement is not embedded: " + err.Error())
	}
	return strings.TrimSpace(string(text))
}

// AgreementSHA256 is the fingerprint of the text that was agreed to.
func AgreementSHA256(language string) string {
	sum := sha256.Sum256([]byte(AgreementText(language)))
	return hex.EncodeToString(sum[:])
}
