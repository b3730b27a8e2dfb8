package api_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// people are all who may come to the door, by the letter that permits uses.
var people = map[byte]string{
	'o': "Owner", 'a': "Administrator", 's': "Standard", 'r': "Read-only", 'x': "stranger",
	'n': "signed out", 'b': "Billing Center account",
	'v': "operator who looks", 'u': "operator of support", 'f': "operator of finance", 'p': "operator who is administrator",
	'k': "a key made by the Owner", 'm': "a key made by an Administrator", 'q': "a key of a Billing Center account", 'w': "a key of a service",
	'd': "a key with which a service has amounts deducted",
}

const (
	anybody = "oasrxnbvufpkmqwd"
	signed  = "oasrx" // in to Studio
	looking = "vufp"  // operators, whatever their role
)

// permits says who may make each call, written down apart from the table of
// the API. What is missing here fails the test.
var permits = map[string]string{
	"list-sites": anybody, "begin-studio-registration": anybody, "resend-studio-code": anybody,
	"verify-studio-registration": anybody, "finish-studio-registration": anybody, "sign-in-studio": anybody,
	"begin-billing-registration": anybody, "resend-billing-code": anybody, "verify-billing-registration": anybody,
	"finish-billing-registration": anybody, "sign-in-billing-center": anybody, "sign-in-operator": anybody,

	"sign-out-studio": signed, "show-studio-account": signed, "list-workspaces": signed, "create-workspace": signed,

	"show-workspace": "oasr", "rename-workspace": "oa", "list-members": "oasr", "add-member": "oas", "change-role": "oa",
	"remove-member": "oa", "show-token": "oa", "replace-token": "oa", "list-notices": "oasr", "list-records": "oasr",
	"show-usage": "oa", "list-bills": "oa", "show-bill": "oa", "explain-bill": "oa", "show-month": "oa", "show-usage-statistics": "oa", "analyse-bills": "oa",
	"show-retention": "oasr", "change-retention": "o", "show-log-rules": "oasr", "replace-log-rules": "o", "show-standing": "o", "dissolve-workspace": "o",
	"show-balance": "o", "show-settlement": "o", "change-settlement": "o",
	"show-upgrade": "o", "name-billing-account": "o", "mail-upgrade-code": "o", "prove-billing-account": "o",
	"show-agreement": "o", "agree": "o", "upgrade": "o", "preview-cost": "o", "show-alerts": "oa", "replace-alerts": "oa",

	"sign-out-billing-center": "b", "show-billing-account": "b", "show-binding-agreement": "b", "show-own-balance": "b",
	"list-paid-workspaces": "b", "list-paid-bills": "b", "show-paid-bill": "b", "explain-paid-bill": "b", "list-entries": "b",
	"list-sources": "b", "show-source": "b", "show-deduction-order": "b", "activate-code": "b", "quote-card": "b", "buy-card": "b",
	"list-own-transfers": "b", "show-own-transfer": "b", "add-transfer-slip": "b", "show-own-transfer-slip": "b", "list-statements": "b", "show-statement": "b", "download-statement": "b", "declare-transfer": "b", "bind-workspace": "b", "show-binding": "b",
	"prove-binding": "b", "agree-binding": "b", "confirm-binding": "b",

	"list-packages": "b", "buy-package": "b", "show-package": "b", "show-package-use": "b", "arrange-package": "b",
	"add-traffic-package": "b", "upgrade-package": "b", "grant-traffic-discount": "p",

	"list-api-keys": "oa", "make-api-key": "oa", "revoke-api-key": "oa",
	"list-account-api-keys": "b", "make-account-api-key": "b", "revoke-account-api-key": "b",
	"read-balance": "kq", "read-bill-lines": "kmq", "read-summary": "kmq",
	"read-package-charges": "q", "read-invoices": "q", "read-invoice": "q", "read-invoice-document": "q", "read-invoice-file": "q", "download-own-invoice": "b", "download-invoice": looking,

	"report-usage-events": "w", "list-service-keys": "p", "make-service-key": "p", "revoke-service-key": "p",
	"deduct": "d", "deduct-many": "d",
	"list-deduction-keys": looking, "make-deduction-key": "p", "revoke-deduction-key": "p",

	"begin-top-up": "b", "list-top-ups": "b", "show-top-up": "b",

	"show-certification": "b", "submit-certification": "b",
	"list-invoice-items": "b", "list-invoice-profiles": "b", "create-invoice-profile": "b", "change-invoice-profile": "b", "delete-invoice-profile": "b",
	"list-invoice-addresses": "b", "create-invoice-address": "b", "change-invoice-address": "b", "delete-invoice-address": "b",
	"list-own-invoices": "b", "request-invoice": "b", "show-own-invoice": "b", "show-own-invoice-file": "b", "withdraw-invoice": "b",
	"list-invoices": looking, "show-invoice": looking, "issue-invoice": "fp", "send-invoice": "fp", "reject-invoice": "fp", "reverse-invoice": "fp", "waive-invoice-cash": "fp",
	"list-certifications": looking, "show-certification-scan": "fp", "decide-certification": "fp",

	"list-code-batches": looking, "make-code-batch": "fp", "show-code-batch": looking, "export-codes": "fp", "list-codes": looking, "revoke-codes": "fp",
	"list-account-sources": looking, "assign-source": "fp", "take-back-source": "fp",
	"sign-out-operator": looking, "list-transfers": looking, "show-transfer": looking, "show-transfer-slip": "fp", "credit-transfer": "fp", "approve-transfer": "fp", "return-transfer": "fp", "reject-transfer": "fp", "verify-books": "ufp",
	"list-adjustments": looking, "show-adjustment": looking, "propose-adjustment": "fp", "approve-adjustment": "fp", "reject-adjustment": "fp",
	"show-clock": looking, "move-clock": "p",
	"list-catalog-versions": looking, "show-catalog-version": looking, "check-catalog-version": "p", "add-catalog-version": "p",
	"remove-catalog-version": "p", "try-catalog-version": looking, "list-agreed-prices": looking, "agree-price": "p", "end-agreed-price": "p",
}

// bodies are well-formed bodies of the calls that take one.
var bodies = map[string]string{
	"begin-top-up":                `{"channel":"alipay","amount":"100.00"}`,
	"begin-studio-registration":   `{"site":"cn1","user_name":"new","email":"new@team.example","password":"correct horse 1","language":"en"}`,
	"begin-billing-registration":  `{"currency":"CNY","user_name":"new","email":"new@pay.example","password":"correct horse 1","language":"en"}`,
	"verify-studio-registration":  `{"code":"123456"}`,
	"verify-billing-registration": `{"code":"123456"}`,
	"finish-studio-registration":  `{"company":"Shop","agreed":true}`,
	"finish-billing-registration": `{"company":"Shop","agreed":true}`,
	"sign-in-studio":              `{"site":"cn1","email":"owner@team.example","password":"correct horse 1"}`,
	"sign-in-billing-center":      `{"login":"payer","password":"correct horse 1"}`,
	"sign-in-operator":            `{"email":"ops@tollgate.example","password":"correct horse 1"}`,
	"create-workspace":            `{"name":"second","language":"en"}`,
	"rename-workspace":            `{"name":"renamed"}`,
	"add-member":                  `{"email":"newcomer@team.example","role":"read_only"}`,
	"change-role":                 `{"role":"read_only"}`,
	"change-settlement":           `{"method":"alibaba"}`,
	"dissolve-workspace":          `{"workspace_name":"another"}`,
	"change-retention":            `{"type":"logs","class":"7d"}`,
	"replace-log-rules":           `{"rules":[{"field":"source","value":"nginx","index":"web"}]}`,
	"replace-alerts":              `{"alerts":[]}`,
	"name-billing-account":        `{"user_name":"payer"}`,
	"mail-upgrade-code":           `{"email":"payer@pay.example"}`,
	"prove-billing-account":       `{"code":"123456"}`,
	"agree":                       `{"version":"1","language":"en","agreed":true}`,
	"upgrade":                     `{"workspace_name":"shop"}`,
	"declare-transfer":            `{"amount":"100.00"}`,
	"add-transfer-slip":           `{"slip":{"name":"a.pdf","content":"JVBERi0="}}`,
	"credit-transfer":             `{"amount":"100.00"}`,
	"return-transfer":             `{"reason":"why"}`,
	"reject-transfer":             `{"reason":"why"}`,
	"propose-adjustment":          `{"amount":"-5","reason":"why"}`,
	"reject-adjustment":           `{"reason":"why"}`,
	"activate-code":               `{"code":"0000-0000-0000-0000"}`,
	"buy-card":                    `{"amount":"100"}`,
	"make-code-batch":             `{"kind":"voucher","amount":"50","currency":"CNY","size":1,"days":30}`,
	"revoke-codes":                `{}`,
	"assign-source":               `{"kind":"voucher","amount":"50","through":"2026-12-31","reason":"a gift"}`,
	"take-back-source":            `{"reason":"a mistake"}`,
	"bind-workspace":              `{"workspace_id":"wksp_none"}`,
	"prove-binding":               `{"code":"123456"}`,
	"agree-binding":               `{"version":"1","language":"en","agreed":true}`,
	"buy-package":                 `{"size":"starter","workspaces":["wksp_none"],"paid_by":{"cash":"42000"}}`,
	"arrange-package":             `{"workspaces":[]}`,
	"add-traffic-package":         `{"item":"logs","capacity":1000000}`,
	"upgrade-package":             `{"size":"growth","paid_by":{"cash":"1"}}`,
	"grant-traffic-discount":      `{"discount":"0.8"}`,
	"move-clock":                  `{"advance":"1h"}`,
	"check-catalog-version":       `{"document":"versions: []"}`,
	"add-catalog-version":         `{"document":"versions: []"}`,
	"agree-price":                 `{"item":"logs","group":"china","class":"14d","price":"1","from":"2026-04-01","reason":"volume"}`,
	"make-api-key":                `{"name":"export"}`,
	"submit-certification":        `{"company":"Acme Ltd","taxpayer_id":"9133"}`,
	"decide-certification":        `{"state":"certified"}`,
	"create-invoice-profile":      `{"type":"vat_ordinary","title":"Acme","tax_number":"9133"}`,
	"change-invoice-profile":      `{"type":"vat_ordinary","title":"Acme","tax_number":"9133"}`,
	"create-invoice-address":      `{"recipient":"Mei","email":"mei@acme.example"}`,
	"change-invoice-address":      `{"recipient":"Mei","email":"mei@acme.example"}`,
	"request-invoice":             `{"profile_id":"invp_none","address_id":"inva_none","items":[{"kind":"statement","id":"stmt_none"}]}`,
	"issue-invoice":               `{"tax_number":"26-1","tax_day":"2026-03-01"}`,
	"send-invoice":                `{"delivery":"SF 1"}`,
	"reject-invoice":              `{"reason":"why"}`,
	"reverse-invoice":             `{"tax_number":"26-R","tax_day":"2026-03-01","reason":"why"}`,
	"waive-invoice-cash":          `{"waived":true,"reason":"why"}`,
	"make-account-api-key":        `{"name":"export"}`,
	"make-service-key":            `{"name":"sms"}`,
	"report-usage-events":         `{"specversion":"1.0"}`,
	"make-deduction-key":          `{"name":"export"}`,
	"deduct":                      `{"account_id":"bcac_none","amount":"1","currency":"CNY","cause":"a fee"}`,
	"deduct-many":                 `{"deductions":[{"key":"k","account_id":"bcac_none","amount":"1","currency":"CNY","cause":"a fee"}]}`,
}

// crowd is a house with everybody in it.
type crowd struct {
	*house
	shop  workspace.Workspace
	guest account.Studio
	in    map[byte]client.Session
}

func newCrowd(t testing.TB, s *store.Store) *crowd {
	t.Helper()
	h := open(t, s)
	owner := h.studio("owner")
	x := &crowd{house: h, shop: h.workspace(owner, "shop"), guest: h.studio("guest"), in: map[byte]client.Session{}}
	h.studio("newcomer")
	h.join(x.shop, x.guest, workspace.Standard)
	x.in['o'] = h.session(api.Studio, owner.ID)
	for letter, role := range map[byte]workspace.Role{'a': workspace.Administrator, 's': workspace.Standard, 'r': workspace.ReadOnly} {
		a := h.studio(string(role))
		h.join(x.shop, a, role)
		x.in[letter] = h.session(api.Studio, a.ID)
	}
	x.in['x'] = h.session(api.Studio, h.studio("stranger").ID)
	x.in['n'] = client.Session{}
	x.in['b'] = h.session(api.BillingCenter, h.billing("payer", money.CNY).ID)
	x.in['p'] = h.session(api.Operator, h.operator().ID)
	for letter, role := range map[byte]account.OperatorRole{'v': account.Viewer, 'u': account.Support, 'f': account.Finance} {
		x.in[letter] = h.session(api.Operator, h.operatorOf(role).ID)
	}
	for letter, maker := range map[byte]byte{'k': 'o', 'm': 'a'} {
		x.in[letter] = h.key(workspace.KeyHolder(x.shop.ID), x.in[maker].AccountID)
	}
	x.in['w'] = h.key(account.ServicesKeys(), x.in['p'].AccountID)
	x.in['q'] = h.key(account.KeyHolder{Scope: account.AccountKeys, ID: x.in['b'].AccountID}, x.in['b'].AccountID)
	x.in['d'] = h.key(account.KeyHolder{Scope: account.DeductionKeys, ID: "shop"}, x.in['p'].AccountID)
	return x
}

func (x *crowd) request(r api.Route) raw {
	path := strings.NewReplacer(
		"{workspace_id}", x.shop.ID, "{account_id}", x.guest.ID, "{registration_id}", "ref_none",
		"{bill_id}", "bill_none", "{transfer_id}", "trsf_none", "{slip_id}", "attc_none", "{adjustment_id}", "adjm_none", "{source_id}", "vchr_none", "{batch_id}", "btch_none", "{key_id}", "akey_none", "{certification_id}", "cert_none", "{session_id}", "sess_none", "{invitation_id}", "invt_none", "{promotion_id}", "prmo_none",
		"{profile_id}", "invp_none", "{address_id}", "inva_none", "{invoice_id}", "invc_none",
		"{statement_id}", "stmt_none", "{version_id}", "none", "{price_id}", "prce_none", "{package_id}", "pkge_none", "{item}", "logs", "{service}", "shop",
	).Replace(r.Path)
	sent := raw{method: r.Method, path: path, body: bodies[r.ID]}
	if r.Once {
		sent.header = map[string]string{"Idempotency-Key": string(client.NewKey())}
	}
	return sent
}

// gateCodes are the codes by which somebody is refused for who he is.
var gateCodes = []string{"signed_out", "workspace_unknown", "owner_only", "not_permitted", "key_invalid", "key_orphan",
	"operator_support_only", "operator_finance_only", "operator_worker_only", "operator_admin_only"}

// refusalOf is the code by which somebody must be refused.
func refusalOf(r api.Route, letter byte) []string {
	switch {
	case r.Console == api.Reader && letter == 'm':
		return []string{"owner_only"}
	case r.Console == api.Reader, r.Console == api.AccountReader, r.Console == api.Service, r.Console == api.Deducting:
		return []string{"key_invalid"}
	case r.Console == api.Operator && strings.IndexByte(looking, letter) >= 0:
		return []string{"operator_support_only", "operator_finance_only", "operator_worker_only", "operator_admin_only"}
	case r.Console == api.Studio && letter == 'x':
		return []string{"workspace_unknown"}
	case r.Console == api.Studio && strings.IndexByte("asr", letter) >= 0:
		return []string{"owner_only", "not_permitted"}
	}
	return []string{"signed_out"}
}

func TestEveryCallIsOpenToThoseWhoMayAndToNobodyElse(t *testing.T) {
	t.Parallel()
	for _, r := range api.Routes() {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			may, known := permits[r.ID]
			if !known {
				t.Fatalf("nobody wrote down who may %s %s", r.Method, r.Path)
			}
			x := newCrowd(t, storetest.SQLite(t))
			for letter := range people {
				x.tries(t, r, letter, strings.IndexByte(may, letter) >= 0)
			}
		})
	}
}

func (x *crowd) tries(t *testing.T, r api.Route, letter byte, may bool) {
	t.Helper()
	a := x.send(x.in[letter], x.request(r))
	if a.status == 500 {
		t.Errorf("%s gets a 500: %s", people[letter], a.body)
	}
	if (r.ID == "bind-workspace" || r.ID == "claim-workspace") && letter == 'b' && a.problem.Code == "workspace_unknown" {
		return // that is the answer to the ID, not to who asks
	}
	switch refusal := refusalOf(r, letter); {
	case may && slices.Contains(gateCodes, a.problem.Code):
		t.Errorf("%s may, but gets %d %s", people[letter], a.status, a.problem.Code)
	case !may && !slices.Contains(refusal, a.problem.Code):
		t.Errorf("%s gets %d %s, want %v", people[letter], a.status, a.problem.Code, refusal)
	}
}

func TestARefusedCallIsNotEvenRead(t *testing.T) {
	t.Parallel()
	x := newCrowd(t, storetest.SQLite(t))
	for _, r := range api.Routes() {
		if r.Console == "" || bodies[r.ID] == "" {
			continue
		}
		sent := x.request(r)
		sent.body = `{"nonsense":`
		want := "signed_out"
		if r.Console == api.Deducting || r.Console == api.Service {
			want = "key_invalid"
		}
		if a := x.send(client.Session{}, sent); a.problem.Code != want || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: signed out, a malformed body gets %d %s", r.ID, a.status, a.problem.Code)
		}
	}
}

func TestRolesHoldBelowTheGateToo(t *testing.T) {
	t.Parallel()
	x := newCrowd(t, storetest.SQLite(t))
	standard := x.client.Studio(x.in['s'])
	_, err := standard.AddMember(t.Context(), x.shop.ID, "newcomer@team.example", "administrator")
	refused(t, err, "not_permitted")
	refused(t, standard.RemoveMember(t.Context(), x.shop.ID, x.guest.ID), "not_permitted")
	me, err := standard.Account(t.Context())
	must(t, me, err)
	if err := standard.RemoveMember(t.Context(), x.shop.ID, me.ID); err != nil {
		t.Errorf("a member may leave: %v", err)
	}
	_, err = standard.Workspace(t.Context(), x.shop.ID)
	refused(t, err, "workspace_unknown")
	owner := x.client.Studio(x.in['o'])
	self, err := owner.Account(t.Context())
	refused(t, owner.RemoveMember(t.Context(), x.shop.ID, must(t, self, err).ID), "owner_stays")
}

func TestADissolvedWorkspaceIsGoneForItsMembers(t *testing.T) {
	t.Parallel()
	x := newCrowd(t, storetest.SQLite(t))
	x.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Workspace(ctx, x.shop.ID)
		if err != nil {
			return err
		}
		w.State = workspace.Dissolved
		return tx.UpdateWorkspace(ctx, w)
	})
	for _, r := range api.Routes() {
		if r.Action == "" {
			continue
		}
		by := x.in['o']
		if r.Console == api.Reader {
			by = x.in['k']
		}
		if a := x.send(by, x.request(r)); a.problem.Code != "workspace_dissolved" || a.status != 410 {
			t.Errorf("%s of a dissolved workspace gets %d %s", r.ID, a.status, a.problem.Code)
		}
	}
}
