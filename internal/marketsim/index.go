package marketsim

import (
	_ "embed" // the page
	"net/http"
	"slices"

	"tollgate.dev/internal/marketsim/stage"
)

//go:embed index.html
var indexPage string

var looks = stage.NewPages(stage.Words{
	"aws":       {"AWS Marketplace", "亚马逊云科技 Marketplace"},
	"alibaba":   {"Alibaba Cloud Marketplace", "阿里云云市场"},
	"huawei":    {"Huawei Cloud KooGallery", "华为云云商店"},
	"here":      {"Tollgate marketsim", "Tollgate 云市场模拟器"},
	"markets":   {"Simulated cloud markets", "模拟云市场"},
	"intro":     {"Three markets that answer as the clouds document that they answer, for walking through a purchase and for tests.", "三个云市场按照各云平台的公开文档应答，可用于体验购买流程，也可用于测试。"},
	"live":      {"Purchases that live:", "有效订阅："},
	"open":      {"Open", "进入"},
	"journal":   {"What was said lately", "最近的往来"},
	"operation": {"Operation", "操作"},
	"cloud":     {"Cloud", "云平台"},
	"status":    {"Answer", "应答"},
	"direction": {"Direction", "方向"},
	"in":        {"vendor to cloud", "服务商 → 云"},
	"out":       {"cloud to vendor", "云 → 服务商"},
	"no_answer": {"none", "无应答"},
	"control":   {"For tests there is the control interface at", "测试可使用控制接口："},
}, map[string]string{"index": indexPage})

type indexView struct {
	Markets []marketCard
	Journal []stage.Entry
	Control string
}

type marketCard struct {
	Name, Path string
	Live       int
}

// longestList is how many entries the page shows.
const longestList = 50

func (s *Sim) index(w http.ResponseWriter, r *http.Request) {
	v := indexView{Control: s.config.Base + "/control/"}
	for _, name := range s.names {
		v.Markets = append(v.Markets, marketCard{name, s.config.Base + "/" + name + "/", s.markets[name].Purchases()})
	}
	for _, e := range slices.Backward(s.Stage.Journal("")) {
		if len(v.Journal) < longestList {
			v.Journal = append(v.Journal, e)
		}
	}
	looks.Write(w, r, http.StatusOK, "index", stage.View{Title: "markets", Cloud: "here", Here: s.config.Base + "/", Now: s.Stage.Now(), Content: v})
}
