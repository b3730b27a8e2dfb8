package alibaba

import (
	_ "embed" // the pages
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	"cloud":          {"Alibaba Cloud Marketplace", "阿里云云市场"},
	"market":         {"Listings and instances", "商品与实例"},
	"instance":       {"Instance", "实例详情"},
	"intro":          {"What a buyer sees and does at Alibaba Cloud Marketplace, and what the seller reported.", "这里是买家在阿里云云市场上看到和操作的内容，以及服务商上报的用量。"},
	"uid":            {"Account UID of the buyer", "买家账号 UID"},
	"uid_hint":       {"10 to 18 digits", "10 至 18 位数字"},
	"months":         {"Months; 0 has no end", "时长（月），0 为不限期"},
	"open":           {"Open", "开通"},
	"plan":           {"Metering", "计量周期"},
	"hourly":         {"hourly", "按小时"},
	"daily":          {"daily", "按天"},
	"keys":           {"Units", "计量项"},
	"instances":      {"Instances", "实例列表"},
	"id":             {"Instance ID", "商品实例 ID"},
	"vendor_id":      {"Instance ID of the vendor", "服务商侧实例 ID"},
	"order":          {"Order", "订单号"},
	"product":        {"Product", "商品"},
	"since":          {"Opened", "开通时间"},
	"until":          {"Until", "到期时间"},
	"no_end":         {"no end", "不限期"},
	"show":           {"Show", "查看"},
	"OPENING":        {"being opened", "开通中"},
	"OPENED":         {"open", "已开通"},
	"EXPIRED":        {"expired", "已到期"},
	"CLOSED":         {"closed", "已关闭"},
	"waiting":        {"The vendor has not answered yet. The market asks again, up to 120 times; reload this page.", "服务商尚未返回实例信息，云市场会重试至多 120 次，请刷新本页。"},
	"enter":          {"Enter without signing in", "免登进入"},
	"site":           {"Front page of the vendor", "服务商前台地址"},
	"renew":          {"Renew for a year", "续费一年"},
	"refund_renewal": {"Refund the renewal", "续费退款"},
	"upgrade":        {"Upgrade", "升级规格"},
	"expire":         {"Let it expire", "使其到期"},
	"release":        {"Release", "释放"},
	"unsubscribe":    {"Unsubscribe, with refund", "退订并退款"},
	"usage":          {"Usage pushed", "已上报用量"},
	"rows":           {"Rows", "用量条数"},
	"window":         {"Window", "时间段"},
	"unit":           {"Unit", "计量项名称"},
	"taken":          {"Taken", "接收时间"},
	"became":         {"What became of it", "处理结果"},
	"billed":         {"billed", "已计费"},
	"late":           {"too late, not billed", "逾期，未计费"},
	"repeat":         {"repeat, not billed", "重复，未计费"},
	"overlaps":       {"meets row", "与该条时间重叠"},
	"callbacks":      {"Calls to the vendor", "对服务商的调用"},
	"action":         {"Action", "接口"},
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
	return stage.Desk{Base: s.config.Base, Purchases: "instances", List: s.listing, One: s.one, Press: s.press}
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
		if code == "" || p.Code == code {
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
	v := instanceView{instance: &copied, Path: s.config.Base + "/instances/" + i.BizID}
	if p := s.product(i.Product); p != nil {
		v.Title = p.Title
	}
	for _, r := range s.market.Rows {
		if r.Instance == i.BizID {
			v.Rows++
		}
	}
	return v
}

// one is the page of an instance, or the way from it to the vendor.
func (s *Sim) one(w http.ResponseWriter, r *http.Request, id string) {
	if id, enter := strings.CutSuffix(id, "/enter"); enter {
		s.enter(w, r, id)
		return
	}
	s.detail(w, r, id)
}

func (s *Sim) detail(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	s.tick()
	v := detailView{Base: s.config.Base}
	if i := s.instance(id); i != nil {
		v.Instance = s.shown(i)
	}
	for _, row := range slices.Backward(s.market.Rows) {
		if row.Instance == id && len(v.Rows) < stage.LongestList {
			v.Rows = append(v.Rows, row)
		}
	}
	s.mu.Unlock()
	if v.Instance.instance == nil {
		http.NotFound(w, r)
		return
	}
	for _, c := range slices.Backward(s.stage.Callbacks(Cloud)) {
		if c.Subject == id && len(v.Callbacks) < stage.LongestList {
			v.Callbacks = append(v.Callbacks, c)
		}
	}
	looks.Write(w, r, http.StatusOK, "instance", s.view("instance", "", v))
}

// enter sends the browser to the vendor with a signature of this instant.
func (s *Sim) enter(w http.ResponseWriter, r *http.Request, id string) {
	to, err := s.Act("enter", map[string]string{"instance": id})
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to["url"], http.StatusSeeOther)
}

// press is a button.
func (s *Sim) press(args map[string]string) (string, error) {
	result, err := s.Act(args["action"], args)
	if err != nil {
		return "", err
	}
	return result["instance"], nil
}

// Purchases counts the instances that are open, for the page of all markets.
func (s *Sim) Purchases() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, i := range s.market.Instances {
		if i.Status == "OPENED" {
			n++
		}
	}
	return n
}

// OpenURL is where the vendor's page sends a buyer.
func (s *Sim) OpenURL() string {
	if len(s.config.Products) == 0 {
		return s.config.Base + "/"
	}
	return s.config.Base + "/products/" + url.PathEscape(s.config.Products[0].Code)
}

// Window is a row's span as pages show it.
func (r Row) Window() string {
	return r.Start.Format("2006-01-02 15:04") + "–" + r.End.Format("01-02 15:04")
}
