package studio_test

import (
	"context"
	"net/http"
	"testing"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

func TestTheOwnerMovesTheWorkspaceToAnotherAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.commercial(h.shop(owner))
	two := h.payer("acme-two", money.CNY)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	v.open(base + "/billing")
	v.shows(t, "Change account")
	v.send(base+"/rebind", "user_name", "nobody", "email", two.Email)
	v.says(t, http.StatusNotFound, "billing_account_unknown")
	v.send(base+"/rebind", "user_name", two.UserName, "email", two.Email)
	v.says(t, http.StatusConflict, "rebind_not_certified")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE billing_account SET certified_company = 'Acme', certified_taxpayer_id = '9133'`)
		return err
	})
	v.send(base+"/rebind", "user_name", two.UserName, "email", two.Email)
	v.at(t, base+"/rebind")
	v.shows(t, "A code was mailed to a***@pay.example.com")
	v.send(base+"/rebind/confirm", "code", "000000", "workspace_name", w.Name)
	v.says(t, http.StatusUnprocessableEntity, "code_wrong")
	v.send(base+"/rebind/confirm", "code", h.code(two.Email), "workspace_name", w.Name)
	v.at(t, base+"/billing")
	v.shows(t, "The workspace was moved")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		now, err := tx.Workspace(ctx, w.ID)
		if now.Payer != two.ID || now.Settlement != w.Settlement || now.Plan != workspace.Commercial {
			t.Errorf("the workspace is now %+v", now)
		}
		return err
	})
}
