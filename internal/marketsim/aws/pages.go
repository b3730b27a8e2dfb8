package aws

import (
	_ "embed" // the pages
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

var (
	//go:embed pages/market.html
	marketPage string
	//go:embed pages/purchase.html
	purchasePage string

	looks = stage.NewPages(words, map[string]string{"market": marketPage, "purchase": purchasePage})
)

var words = stage.Words{
	"cloud":          {"AWS Marketplace", "亚马逊云科技 Marketplace"},
	"market":         {"Listings and purchases", "商品与订阅"},
	"purchase":       {"Purchase", "订阅详情"},
	"intro":          {"What a buyer sees and does at AWS Marketplace, and what the seller was sent.", "这里是买家在 AWS Marketplace 上看到和操作的内容，以及卖家收到的消息。"},
	"account":        {"AWS account of the buyer", "买家的 AWS 账号"},
	"account_hint":   {"12 digits", "12 位数字"},
	"subscribe":      {"Subscribe", "订阅"},
	"legacy":         {"legacy integration", "旧版接入"},
	"dimensions":     {"Dimensions", "计量维度"},
	"purchases":      {"Purchases", "订阅记录"},
	"license":        {"License", "许可证"},
	"agreement":      {"Agreement", "协议"},
	"product":        {"Product", "商品"},
	"since":          {"Since", "开始时间"},
	"ends":           {"Agreed until", "约定到期"},
	"final":          {"Usage taken until", "用量接收截止"},
	"intent":         {"Intent", "类型"},
	"setup":          {"Set up your account", "设置您的账户"},
	"setup_hint":     {"Posts a registration token to the vendor's page. A token can be resolved for four hours.", "将注册令牌提交至服务商页面。令牌在四小时内有效。"},
	"no_landing":     {"No registration URL is configured.", "尚未配置注册页面地址。"},
	"renew":          {"Renew (new license)", "续订（新许可证）"},
	"amend":          {"Amend", "修订协议"},
	"cancel":         {"Cancel subscription", "取消订阅"},
	"expire":         {"Let it expire", "使其到期"},
	"suspend":        {"Suspend the account", "停用该账号"},
	"resume":         {"Resume the account", "恢复该账号"},
	"suspended":      {"account suspended", "账号已停用"},
	"active":         {"active", "生效中"},
	"deprovisioning": {"deprovisioning", "收尾中"},
	"ended":          {"ended", "已结束"},
	"usage":          {"Usage accepted", "已接收用量"},
	"records":        {"Records", "用量记录"},
	"hour":           {"Hour", "小时"},
	"dimension":      {"Dimension", "维度"},
	"accepted":       {"Accepted", "接收时间"},
	"repeats":        {"Sent again", "重复提交"},
	"conflicts":      {"Refused with another value", "不同数值被拒"},
	"open":           {"Open", "查看"},
	"latest":         {"The latest 200.", "最近 200 条。"},
}

type purchaseView struct {
	*agreement
	Path, Stands, Title string
	Suspended           bool
	Records             int
}

type marketView struct {
	Base      string
	Products  []Product
	Purchases []purchaseView
}

type detailView struct {
	Base, Landing, Token string
	Purchase             purchaseView
	Records              []Record
	Unknown              bool
}

func (s *Sim) desk() stage.Desk {
	return stage.Desk{Base: s.config.Base, Purchases: "purchases", List: s.listing, One: s.purchase, Press: s.press}
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
		if code == "" || p.Code == code || p.ID == code {
			v.Products = append(v.Products, p)
		}
	}
	for _, a := range slices.Backward(s.market.Agreements) {
		if len(v.Purchases) < stage.LongestList {
			v.Purchases = append(v.Purchases, s.shown(a))
		}
	}
	s.mu.Unlock()
	looks.Write(w, r, status, "market", s.view("market", problem, v))
}

func tail(license string) string { return license[strings.LastIndex(license, ":")+1:] }

func (s *Sim) shown(a *agreement) purchaseView {
	copied := *a
	v := purchaseView{
		agreement: &copied, Path: s.config.Base + "/purchases/" + tail(a.License), Stands: a.State(s.stage.Now()), Suspended: s.market.Customers[a.Account].Suspended,
	}
	if p := s.product(a.Product); p != nil {
		v.Title = p.Title
	}
	for _, rec := range s.market.Records {
		if rec.of(a) {
			v.Records++
		}
	}
	return v
}

func (r *Record) of(a *agreement) bool {
	return r.License == a.License || r.License == "" && a.Legacy && r.Account == a.Account && r.Product == a.Product
}

func (s *Sim) purchase(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	s.tick()
	v := detailView{Base: s.config.Base, Landing: s.config.Landing, Unknown: s.market.Switches.UnknownFormFields}
	for _, a := range s.market.Agreements {
		if tail(a.License) != id {
			continue
		}
		v.Purchase = s.shown(a)
		if a.EndedAt.IsZero() && r.Method == http.MethodGet {
			v.Token = s.token(a)
		}
		for _, key := range slices.Backward(s.market.Order) {
			if rec := s.market.Records[key]; rec.of(a) && len(v.Records) < stage.LongestList {
				v.Records = append(v.Records, *rec)
			}
		}
	}
	s.mu.Unlock()
	if v.Purchase.agreement == nil {
		http.NotFound(w, r)
		return
	}
	looks.Write(w, r, http.StatusOK, "purchase", s.view("purchase", "", v))
}

// press is a button.
func (s *Sim) press(args map[string]string) (string, error) {
	result, err := s.Act(args["action"], args)
	if err != nil {
		return "", err
	}
	if license := result["license"]; license != "" {
		return tail(license), nil
	}
	return "", nil
}

// Purchases counts the agreements that live, for the page of all markets.
func (s *Sim) Purchases() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, now := 0, s.stage.Now()
	for _, a := range s.market.Agreements {
		if a.State(now) == "active" {
			n++
		}
	}
	return n
}

// SubscribeURL is where the vendor's page sends a buyer.
func (s *Sim) SubscribeURL() string {
	if len(s.config.Products) == 0 {
		return s.config.Base + "/"
	}
	return s.config.Base + "/products/" + url.PathEscape(s.config.Products[0].Code)
}

// HourText is the hour of a record as pages show it.
func (r Record) HourText() string {
	return r.Hour.Format("2006-01-02 15:00") + "–" + r.Hour.Add(time.Hour).Format("15:00")
}
