package huawei

import (
	_ "embed" // the pages
	"net/http"
	"net/url"
	"slices"

	"tollgate.dev/internal/marketsim/stage"
)

var (
	//go:embed pages/market.html
	marketPage string
	//go:embed pages/instance.html
	instancePage string

	looks = stage.NewPages(words, map[string]string{"market": marketPage, "instance": instancePage})
)

var words = stage.Words{
	"cloud":          {"Huawei Cloud KooGallery", "华为云云商店"},
	"market":         {"Listings and instances", "商品与实例"},
	"instance":       {"Instance", "实例详情"},
	"intro":          {"What a buyer sees and does at Huawei Cloud KooGallery, and what the seller reported.", "这里是买家在华为云云商店上看到和操作的内容，以及商家上报的用量。"},
	"customer":       {"Account ID of the buyer", "买家账号 ID"},
	"customer_hint":  {"32 hexadecimal digits", "32 位十六进制"},
	"quantity_hint":  {"How many", "购买数量"},
	"buy":            {"Buy", "购买"},
	"mode":           {"Charging", "计费模式"},
	"ON_DEMAND":      {"pay per use", "按需"},
	"ONE_TIME":       {"once (stored-value card)", "一次性（储值卡）"},
	"PERIOD":         {"by period", "包周期"},
	"ON_DEMAND_PKG":  {"package of usage", "按需套餐包"},
	"first":          {"first generation", "V1.0 接口"},
	"instances":      {"Instances", "实例列表"},
	"id":             {"Instance of the vendor", "商家侧实例 ID"},
	"order":          {"Order", "订单号"},
	"product":        {"Product", "商品"},
	"since":          {"Bought", "购买时间"},
	"until":          {"Until", "到期时间"},
	"closed":         {"Closed", "关闭时间"},
	"no_end":         {"no end", "不限期"},
	"show":           {"Show", "查看"},
	"WAITING":        {"waiting for the vendor", "等待商家开通"},
	"PROVISIONING":   {"being made", "开通中"},
	"ACTIVE":         {"active", "使用中"},
	"FROZEN":         {"frozen", "已冻结"},
	"RELEASED":       {"released", "已释放"},
	"waiting":        {"The vendor has not answered yet. The market asks again for about three hours; reload this page.", "商家尚未返回实例信息，云商店会在约三小时内重试，请刷新本页。"},
	"site":           {"Front page of the vendor", "商家前台地址"},
	"renew":          {"Renew for a year", "续费一年"},
	"refund_renewal": {"Refund the renewal", "退订续费周期"},
	"to_formal":      {"From trial to formal", "试用转正式"},
	"upgrade":        {"Change the specification", "变更规格"},
	"freeze":         {"Freeze", "冻结"},
	"unfreeze":       {"Unfreeze", "解冻"},
	"expire":         {"Let it expire", "使其到期"},
	"release":        {"Release", "释放"},
	"unsubscribe":    {"Unsubscribe, with refund", "退订并退款"},
	"query":          {"Ask the vendor about it", "查询实例"},
	"notify":         {"Tell of the order", "订单通知"},
	"probe":          {"Probe the vendor, as twice a day", "探测商家接口（每日两次）"},
	"usage":          {"Usage pushed", "已上报用量"},
	"rows":           {"Rows", "用量条数"},
	"window":         {"Window", "时间段"},
	"taken":          {"Taken", "接收时间"},
	"became":         {"What became of it", "处理结果"},
	"billed":         {"billed", "已计费"},
	"dropped":        {"dropped: not the first of this window", "已丢弃：同一时间段仅处理首条"},
	"late":           {"more than two hours late", "晚于两小时"},
	"overlaps":       {"meets row", "与该条时间重叠"},
	"callbacks":      {"Calls to the vendor", "对商家的调用"},
	"action":         {"Activity", "接口"},
	"attempts":       {"Attempts", "次数"},
	"answer":         {"Latest answer", "最近应答"},
	"taken_ok":       {"answered", "已确认"},
	"open_still":     {"not answered", "未确认"},
	"latest":         {"The latest 200.", "最近 200 条。"},
}

type instanceView struct {
	*instance
	Path, Title string
	Rows        int
}

type marketView struct {
	Base      string
	Products  []Product
	Instances []instanceView
}

type detailView struct {
	Base      string
	Instance  instanceView
	Rows      []Row
	Callbacks []stage.Callback
}

func (s *Sim) desk() stage.Desk {
	return stage.Desk{Base: s.config.Base, Purchases: "instances", List: s.listing, One: s.detail, Press: s.press}
}

func (s *Sim) view(title, problem string, content any) stage.View {
	return stage.View{Title: title, Cloud: "cloud", Home: s.config.Home, Here: s.config.Base + "/", Now: s.stage.Now(), Problem: problem, Content: content}
}

// listing shows what can be bought, or one of it, and what was.
func (s *Sim) listing(w http.ResponseWriter, r *http.Request, code string, status int, problem string) {
	s.mu.Lock()
	s.tick()
	v := marketView{Base: s.config.Base}
	for _, p := range s.market.Products {
		if code == "" || p.ID == code {
			v.Products = append(v.Products, p)
		}
	}
	for _, i := range slices.Backward(s.market.Instances) {
		if len(v.Instances) < stage.LongestList {
			v.Instances = append(v.Instances, s.shown(i))
		}
	}
	s.mu.Unlock()
	looks.Write(w, r, status, "market", s.view("market", problem, v))
}

func (s *Sim) shown(i *instance) instanceView {
	copied := *i
	v := instanceView{instance: &copied, Path: s.config.Base + "/instances/" + i.Key}
	if p := s.product(i.Product); p != nil {
		v.Title = p.Title
	}
	for _, r := range s.market.Rows {
		if i.ID != "" && r.Instance == i.ID {
			v.Rows++
		}
	}
	return v
}

func (s *Sim) detail(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	s.tick()
	v := detailView{Base: s.config.Base}
	if i := s.instance(id); i != nil {
		v.Instance = s.shown(i)
		for _, row := range slices.Backward(s.market.Rows) {
			if i.ID != "" && row.Instance == i.ID && len(v.Rows) < stage.LongestList {
				v.Rows = append(v.Rows, row)
			}
		}
	}
	s.mu.Unlock()
	if v.Instance.instance == nil {
		http.NotFound(w, r)
		return
	}
	for _, c := range slices.Backward(s.stage.Callbacks(Cloud)) {
		if c.Subject == v.Instance.Key && len(v.Callbacks) < stage.LongestList {
			v.Callbacks = append(v.Callbacks, c)
		}
	}
	looks.Write(w, r, http.StatusOK, "instance", s.view("instance", "", v))
}

// press is a button.
func (s *Sim) press(args map[string]string) (string, error) {
	result, err := s.Act(args["action"], args)
	if err != nil {
		return "", err
	}
	return result["key"], nil
}

// Purchases counts the instances that are active, for the page of all markets.
func (s *Sim) Purchases() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, i := range s.market.Instances {
		if i.Status == "ACTIVE" {
			n++
		}
	}
	return n
}

// BuyURL is where the vendor's page sends a buyer.
func (s *Sim) BuyURL() string {
	if len(s.config.Products) == 0 {
		return s.config.Base + "/"
	}
	return s.config.Base + "/products/" + url.PathEscape(s.config.Products[0].ID)
}

// Window is a row's span as pages show it.
func (r Row) Window() string {
	return r.Begin.Format("2006-01-02 15:04") + "–" + r.End.Format("01-02 15:04")
}
