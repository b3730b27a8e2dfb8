package api

import (
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// The steps of the upgrade, in their order.
const (
	stepAccount   = "account"   // name the Billing Center account
	stepEmail     = "email"     // have a code mailed to its address
	stepCode      = "code"      // enter the code
	stepAgreement = "agreement" // agree to the opening agreement
	stepConfirm   = "confirm"   // confirm; nothing leads back
	stepDone      = "done"
)

// Upgrade is how far the step to the Commercial plan has come.
type Upgrade struct {
	WorkspaceID      string     `json:"workspace_id"`
	Plan             string     `json:"plan" enum:"experience,commercial"`
	Next             string     `json:"next" enum:"account,email,code,agreement,confirm,done" doc:"The step that comes next."`
	BillingUserName  string     `json:"billing_user_name,omitempty"`
	CodeSentTo       string     `json:"code_sent_to,omitempty" doc:"The address, masked." example:"p***@acme.example"`
	AgreementVersion string     `json:"agreement_version" doc:"The version to agree to now."`
	AgreedVersion    string     `json:"agreed_version,omitempty"`
	ExpiresAt        *time.Time `json:"expires_at,omitempty" doc:"When what was entered no longer holds."`
}

func upgradeOf(w workspace.Workspace, d upgrade.Draft) *Upgrade {
	u := &Upgrade{
		WorkspaceID: w.ID, Plan: string(w.Plan), Next: nextStep(w, d), BillingUserName: d.UserName,
		AgreementVersion: upgrade.AgreementVersion, AgreedVersion: d.Agreement,
	}
	if d.Email != "" {
		u.CodeSentTo = account.MaskEmail(d.Email)
	}
	if u.Next != stepDone && !d.NamedAt.IsZero() {
		u.ExpiresAt = instant(d.NamedAt.Add(upgrade.DraftLife), w.Site)
	}
	return u
}

func nextStep(w workspace.Workspace, d upgrade.Draft) string {
	switch {
	case w.Plan == workspace.Commercial:
		return stepDone
	case d.BillingID == "":
		return stepAccount
	case d.Email == "":
		return stepEmail
	case d.VerifiedAt.IsZero():
		return stepCode
	case d.AgreedAt.IsZero() || d.Agreement != upgrade.AgreementVersion:
		return stepAgreement
	}
	return stepConfirm
}

// upgradeNow shows the state after a step.
func (c *call) upgradeNow(workspaceID string) (*Upgrade, error) {
	w, err := c.tx.Workspace(c, workspaceID)
	if err != nil {
		return nil, err
	}
	d, err := c.tx.UpgradeDraft(c, workspaceID, c.AccountID)
	switch {
	case isFault(err, upgrade.ErrNotBegun):
		d = upgrade.Draft{}
	case err != nil:
		return nil, err
	case d.DoneAt.IsZero() && !c.at.Before(d.NamedAt.Add(upgrade.DraftLife)):
		d = upgrade.Draft{} // too old: it begins anew
	}
	return upgradeOf(w, d), nil
}

func showUpgrade(c *call, in *Inside) (*Upgrade, error) { return c.upgradeNow(in.WorkspaceID) }

// naming is step 3: the user name of the Billing Center account.
type naming struct {
	Inside
	Body struct {
		UserName string `json:"user_name" maxLength:"256"`
	}
}

func nameAccount(c *call, in *naming) (*Upgrade, error) {
	if _, err := upgrade.Name(c, c.tx, in.WorkspaceID, in.Body.UserName, c.actor(), c.at); err != nil {
		return nil, err
	}
	return c.upgradeNow(in.WorkspaceID)
}

// mailing asks for a code to the address bound to the named account.
type mailing struct {
	Inside
	Body struct {
		Email string `json:"email" maxLength:"256"`
	}
}

func mailCode(c *call, in *mailing) (*Upgrade, error) {
	if _, err := upgrade.Mail(c, c.tx, in.WorkspaceID, in.Body.Email, c.actor(), c.at); err != nil {
		return nil, err
	}
	return c.upgradeNow(in.WorkspaceID)
}

// proof is the mailed code, of the upgrade or of a binding.
type proof struct {
	Inside
	Body struct {
		Code string `json:"code" maxLength:"32" example:"123456"`
	}
}

func proveCode(c *call, in *proof) (*Upgrade, error) {
	if _, err := upgrade.Prove(c, c.tx, in.WorkspaceID, in.Body.Code, c.actor(), c.at); err != nil {
		return nil, counted(err)
	}
	return c.upgradeNow(in.WorkspaceID)
}

// Reading asks for the agreement in a language.
type Reading struct {
	Language string `query:"language" enum:"en,zh" doc:"en where nothing is said."`
}

// readingInside is Reading by a workspace's Owner.
type readingInside struct {
	Inside
	Reading
}

// Agreement is the opening agreement as it is shown now.
type Agreement struct {
	Version  string `json:"version"`
	Language string `json:"language"`
	Title    string `json:"title"`
	Text     string `json:"text" doc:"Paragraphs apart by empty lines."`
	SHA256   string `json:"sha256" doc:"Of title and text together, in hexadecimal; what is kept when you agree."`
}

func agreementIn(language string) *Agreement {
	if language == "" {
		language = "en"
	}
	title, text, _ := strings.Cut(upgrade.AgreementText(language), "\n")
	return &Agreement{upgrade.AgreementVersion, language, strings.TrimSpace(title), strings.TrimSpace(text), upgrade.AgreementSHA256(language)}
}

func showAgreement(_ *call, in *readingInside) (*Agreement, error) {
	return agreementIn(in.Language), nil
}

func showBindingAgreement(_ *call, in *Reading) (*Agreement, error) {
	return agreementIn(in.Language), nil
}

// agreeing is step 4.
type agreeing struct {
	Inside
	Body struct {
		Version  string `json:"version" maxLength:"64"`
		Language string `json:"language" enum:"en,zh" doc:"Of the text that was read."`
		Agreed   bool   `json:"agreed"`
	}
}

func agree(c *call, in *agreeing) (*Upgrade, error) {
	b := in.Body
	if _, err := upgrade.Agree(c, c.tx, in.WorkspaceID, b.Version, b.Language, b.Agreed, c.actor(), c.at); err != nil {
		return nil, err
	}
	return c.upgradeNow(in.WorkspaceID)
}

// confirmation is step 5 of entry A.
type confirmation struct {
	Inside
	Keyed
	Body struct {
		WorkspaceName string `json:"workspace_name" doc:"Typed once more, exactly as it is: nothing leads back."`
	}
}

// Upgraded is a workspace that has become Commercial.
type Upgraded struct {
	WorkspaceID     string           `json:"workspace_id"`
	Plan            string           `json:"plan"`
	UpgradedAt      time.Time        `json:"upgraded_at"`
	BillingUserName string           `json:"billing_user_name"`
	Settlement      SettlementChoice `json:"settlement" doc:"What may be chosen next; the Billing Center account pays until then."`
}

func (s *server) confirmUpgrade(c *call, in *confirmation) (*Upgraded, error) {
	r, err := upgrade.Confirm(c, c.tx, in.WorkspaceID, in.Body.WorkspaceName, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return s.upgraded(c, r)
}

func (s *server) upgraded(c *call, r upgrade.Result) (*Upgraded, error) {
	choice, err := s.choice(r.Workspace, r.Payer)
	if err != nil {
		return nil, err
	}
	return &Upgraded{
		WorkspaceID: r.Workspace.ID, Plan: string(r.Workspace.Plan), UpgradedAt: local(r.Workspace.UpgradedAt, r.Workspace.Site),
		BillingUserName: r.Payer.UserName, Settlement: *choice,
	}, nil
}

// Binding is entry B: a Billing Center account takes on a workspace.
type Binding struct {
	Upgrade
	WorkspaceName string `json:"workspace_name"`
	Site          string `json:"site"`
}

// binding names the workspace to bind.
type binding struct {
	Body struct {
		WorkspaceID string `json:"workspace_id" maxLength:"64" example:"wksp_0123456789abcdefghijklmnopqrstuv"`
	}
}

func bindWorkspace(c *call, in *binding) (*Binding, error) {
	d, err := upgrade.Bind(c, c.tx, in.Body.WorkspaceID, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return c.bindingNow(d.WorkspaceID)
}

// bindingNow shows a binding that this account has begun; of any other
// workspace it learns nothing.
func (c *call) bindingNow(workspaceID string) (*Binding, error) {
	if _, err := c.tx.UpgradeDraft(c, workspaceID, c.AccountID); err != nil {
		return nil, err
	}
	w, err := c.tx.Workspace(c, workspaceID)
	if err != nil {
		return nil, err
	}
	u, err := c.upgradeNow(workspaceID)
	if err != nil {
		return nil, err
	}
	if w.Plan == workspace.Commercial && w.Payer != c.AccountID {
		return nil, upgrade.ErrBoundElsewhere
	}
	return &Binding{Upgrade: *u, WorkspaceName: w.Name, Site: string(w.Site)}, nil
}

func showBinding(c *call, in *Inside) (*Binding, error) { return c.bindingNow(in.WorkspaceID) }

func proveBinding(c *call, in *proof) (*Binding, error) {
	if _, err := upgrade.Prove(c, c.tx, in.WorkspaceID, in.Body.Code, c.actor(), c.at); err != nil {
		return nil, counted(err)
	}
	return c.bindingNow(in.WorkspaceID)
}

func agreeBinding(c *call, in *agreeing) (*Binding, error) {
	b := in.Body
	if _, err := upgrade.Agree(c, c.tx, in.WorkspaceID, b.Version, b.Language, b.Agreed, c.actor(), c.at); err != nil {
		return nil, err
	}
	return c.bindingNow(in.WorkspaceID)
}

// confirming is the last step of entry B.
type confirming struct {
	Inside
	Keyed
}

func (s *server) confirmBinding(c *call, in *confirming) (*Upgraded, error) {
	r, err := upgrade.ConfirmBinding(c, c.tx, in.WorkspaceID, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return s.upgraded(c, r)
}
