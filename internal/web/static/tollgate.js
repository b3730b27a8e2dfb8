// Comfort only: every page works without this file.
(function () {
  "use strict";

  // Copy buttons appear where they can work.
  function copyButtons(root) {
    if (!navigator.clipboard && !document.execCommand) return;
    root.querySelectorAll("[data-copy][hidden]").forEach(function (b) { b.hidden = false; });
  }

  function copied(button) {
    var word = button.querySelector("span");
    var before = word.textContent;
    word.textContent = button.dataset.copied;
    setTimeout(function () { word.textContent = before; }, 1500);
  }

  function select(node) {
    var range = document.createRange();
    range.selectNodeContents(node);
    var selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) return;
    var node = document.getElementById(button.dataset.copy);
    if (!node) return;
    if (navigator.clipboard) {
      navigator.clipboard.writeText(node.textContent).then(function () { copied(button); }, function () { select(node); });
    } else { // a plain-http address has no clipboard
      select(node);
      if (document.execCommand("copy")) copied(button);
    }
  });

  // One click sends a form once. The server holds that rule too.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "post" && !form.hasAttribute("hx-post")) {
      form.dataset.sent = "yes";
      setTimeout(function () { delete form.dataset.sent; }, 4000);
    }
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-sent]").forEach(function (f) { delete f.dataset.sent; });
  });

  // Menus close on a click elsewhere and on Escape.
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.switcher[open], details.person[open]").forEach(function (d) {
      if (!d.contains(event.target)) d.open = false;
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.switcher[open], details.person[open]").forEach(function (d) {
      d.open = false;
      d.querySelector("summary").focus();
    });
  });

  // A list that changes a page's view is sent as soon as it is changed.
  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-send]")) event.target.form.requestSubmit();
  });

  // The sum of a mix of payment, as it is typed. The server holds the rule.
  function cents(text) {
    var m = /^\s*(\d{1,12})(?:\.(\d{1,2}))?\s*$/.exec(text);
    return m ? BigInt(m[1]) * 100n + BigInt(((m[2] || "") + "00").slice(0, 2)) : 0n;
  }
  function summed(set) {
    var sum = 0n;
    set.querySelectorAll("input").forEach(function (i) { sum += cents(i.value); });
    var out = set.querySelector("[data-sum]");
    out.textContent = String(sum / 100n).replace(/\B(?=(\d{3})+$)/g, ",") + "." + ("0" + String(sum % 100n)).slice(-2);
    out.classList.toggle("wrong", sum !== cents(set.dataset.price));
  }
  document.addEventListener("input", function (event) {
    var set = event.target.closest("[data-price]");
    if (set) summed(set);
  });
  document.querySelectorAll("[data-price]").forEach(summed);

  var errors = document.getElementById("errors");
  if (errors) errors.focus();
  copyButtons(document);
  document.addEventListener("htmx:afterSwap", function (event) { copyButtons(event.target); });
})();
