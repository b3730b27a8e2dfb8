package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tollgate.dev/internal/app"
)

// clockCommand speaks to a running sandbox through its door for operators'
// tools, which it finds in the data folder.
type clockCommand struct {
	Show    clockShow    `cmd:"" default:"1" help:"Show the clock."`
	Advance clockAdvance `cmd:"" help:"Move the clock forward; what falls due runs in order."`
}

type clockShow struct {
	Data string `help:"Data folder of the running installation." default:"tollgate-demo" env:"TOLLGATE_DATA" type:"path"`
}

type clockAdvance struct {
	By   string `arg:"" help:"How far: 36h, 14d or 1mo."`
	Data string `help:"Data folder of the running installation." default:"tollgate-demo" env:"TOLLGATE_DATA" type:"path"`
}

// Run prints the time of the sandbox.
func (c *clockShow) Run(ctx context.Context) error { return tool(ctx, c.Data, http.MethodGet, nil) }

// Run moves the clock.
func (c *clockAdvance) Run(ctx context.Context) error {
	body, err := json.Marshal(app.ClockMove{Advance: c.By})
	if err != nil {
		return err
	}
	return tool(ctx, c.Data, http.MethodPost, body)
}

// longestMove is how long a move of the clock may take.
const longestMove = 10 * time.Minute

func tool(ctx context.Context, folder, method string, body []byte) error {
	text, err := os.ReadFile(filepath.Join(folder, app.DoorFile))
	if err != nil {
		return fmt.Errorf("no running sandbox in %s: %w", folder, err)
	}
	var door app.Door
	if err := json.Unmarshal(text, &door); err != nil {
		return fmt.Errorf("read %s: %w", app.DoorFile, err)
	}
	ctx, cancel := context.WithTimeout(ctx, longestMove)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, door.URL+app.ClockPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+door.Key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("the installation does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, strings.TrimSpace(string(answer)))
	}
	fmt.Print(string(answer))
	return nil
}
