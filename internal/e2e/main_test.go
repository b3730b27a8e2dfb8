package e2e

import (
	"testing"

	"tollgate.dev/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
