package quota

import (
	"strconv"
	"time"

	"tollgate.dev/internal/workspace"
)

// Message is the notice as the members of the workspace find it. Its key makes
// it appear once per item, day and level.
func (n Notice) Message(at time.Time) workspace.Notice {
	return workspace.Notice{
		WorkspaceID: n.WorkspaceID, CreatedAt: at, Kind: "quota_" + string(n.Level),
		Key: "quota." + n.Item + "." + n.Day.String() + "." + string(n.Level),
		Args: map[string]string{
			"item": n.Item, "day": n.Day.String(),
			"used": strconv.FormatInt(n.Used, 10), "limit": strconv.FormatInt(n.Limit, 10),
		},
	}
}
