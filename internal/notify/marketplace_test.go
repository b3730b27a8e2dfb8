package notify_test

import (
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
)

func ofMarketplaces(language string) map[string]any {
	moved := func(cloud site.Method, why string, workspaces ...arrears.Concerned) marketplace.Moved {
		return marketplace.Moved{Cloud: cloud, Why: why, Account: "1234567890", Instance: "i-0001", UserName: "acme-billing", Email: "finance@example.com",
			Language: language, Workspaces: workspaces, At: at}
	}
	shop, lab := arrears.Concerned{ID: "wksp_1", Name: "商城 shop", Site: "cn1"}, arrears.Concerned{ID: "wksp_2", Name: "lab", Site: "cn1"}
	records := []marketplace.Record{{Amount: money.MustParse("12.34", money.CNY), State: marketplace.Sent, Deadline: at.Add(time.Hour)}, {Amount: money.MustParse("1", money.CNY), State: marketplace.Waiting, Deadline: at.Add(2 * time.Hour)}}
	readers := []marketplace.Paged{{Email: "ops@example.com", Language: language}}
	lost := []marketplace.Record{{Amount: money.MustParse("5", money.USD), State: marketplace.Late, Deadline: at}}
	return map[string]any{
		"usage-late":           marketplace.UsageLate{Cloud: site.Huawei, Records: records, Readers: readers, At: at},
		"usage-lost":           marketplace.UsageLost{Cloud: site.AWS, Records: lost, Readers: readers, At: at},
		"settlement-fell-back": moved(site.Alibaba, settle.WhyCancelled, shop),
		"settlement-succeeded": moved(site.AWS, settle.WhySucceeded, shop, lab),
	}
}
