package notify_test

import (
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
)

func ofMarketplaces(language string) map[string]any {
	moved := func(cloud site.Method, why string, workspaces ...arrears.Concerned) marketplace.Moved {
		return marketplace.Moved{Cloud: cloud, Why: why, Account: "1234567890", Instance: "i-0001", UserName: "acme-billing", Email: "finance@example.com",
			Language: language, Workspaces: workspaces, At: at}
	}
	shop, lab := arrears.Concerned{ID: "wksp_1", Name: "商城 shop", Site: "cn1"}, arrears.Concerned{ID: "wksp_2", Name: "lab", Site: "cn1"}
	return map[string]any{
		"settlement-fell-back": moved(site.Alibaba, settle.WhyCancelled, shop),
		"settlement-succeeded": moved(site.AWS, settle.WhySucceeded, shop, lab),
	}
}
