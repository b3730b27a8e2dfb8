package api_test

import "maps"

// The calls about accounts and teams, for the tests of who may make them.
func init() {
	maps.Copy(permits, map[string]string{
		"ask-studio-password-reset": anybody, "complete-studio-password-reset": anybody,
		"change-studio-account": signed, "change-studio-password": signed, "begin-studio-email": signed, "prove-studio-present-email": signed,
		"prove-studio-new-email": signed, "begin-studio-phone": signed, "prove-studio-phone": signed, "list-studio-sessions": signed,
		"end-studio-session": signed, "end-other-studio-sessions": signed,

		"ask-billing-password-reset": anybody, "complete-billing-password-reset": anybody,
		"change-billing-account": "b", "change-billing-password": "b", "begin-billing-email": "b", "prove-billing-present-email": "b",
		"prove-billing-new-email": "b", "begin-billing-phone": "b", "prove-billing-phone": "b", "list-billing-sessions": "b",
		"end-billing-session": "b", "end-other-billing-sessions": "b",

		"list-invitations": "oasr", "invite-member": "oas", "withdraw-invitation": "oas", "list-promotions": "oasr", "withdraw-promotion": "oa",
		"show-ownership": "oasr", "offer-ownership": "o", "end-ownership-offer": "oasr", "accept-ownership": "oasr", "read-notices": "oasr",
		"begin-rebinding": "o", "confirm-rebinding": "o",
		"show-own-standing": "b", "claim-workspace": "b", "prove-take-over": "b", "take-over-workspace": "b", "ask-dissolution": "b", "dissolve-paid-workspace": "b",
		"show-account-standing": looking, "show-workspace-standing": looking, "extend-workspace": "up",
		"list-messages": "b", "read-messages": "b", "show-promotion": "b", "answer-promotion": "b",
	})
	maps.Copy(bodies, map[string]string{
		"ask-studio-password-reset":       `{"site":"cn1","email":"nobody@team.example"}`,
		"complete-studio-password-reset":  `{"site":"cn1","email":"nobody@team.example","code":"123456","password":"better horse 2"}`,
		"change-studio-account":           `{"language":"zh"}`,
		"change-studio-password":          `{"present_password":"not it 1","password":"better horse 2"}`,
		"begin-studio-email":              `{"new":"new@team.example"}`,
		"prove-studio-present-email":      `{"code":"123456"}`,
		"prove-studio-new-email":          `{"code":"123456"}`,
		"begin-studio-phone":              `{"new":"+8613800000000"}`,
		"prove-studio-phone":              `{"code":"123456"}`,
		"ask-billing-password-reset":      `{"email":"nobody@team.example"}`,
		"complete-billing-password-reset": `{"email":"nobody@team.example","code":"123456","password":"better horse 2"}`,
		"change-billing-account":          `{"language":"zh"}`,
		"change-billing-password":         `{"present_password":"not it 1","password":"better horse 2"}`,
		"begin-billing-email":             `{"new":"new@team.example"}`,
		"prove-billing-present-email":     `{"code":"123456"}`,
		"prove-billing-new-email":         `{"code":"123456"}`,
		"begin-billing-phone":             `{"new":"+8613800000000"}`,
		"prove-billing-phone":             `{"code":"123456"}`,

		"claim-workspace":         `{"workspace_id":"wksp_none"}`,
		"prove-take-over":         `{"code":"123456"}`,
		"dissolve-paid-workspace": `{"code":"123456","workspace_name":"shop"}`,
		"extend-workspace":        `{"days":7,"reason":"they asked"}`,

		"begin-rebinding":   `{"user_name":"other","email":"other@pay.example"}`,
		"confirm-rebinding": `{"code":"123456","workspace_name":"shop"}`,
		"invite-member":     `{"email":"nobody@team.example","role":"read_only"}`,
		"offer-ownership":   `{"account_id":"acnt_none","workspace_name":"shop"}`,
		"answer-promotion":  `{"accept":true}`,
	})
}
