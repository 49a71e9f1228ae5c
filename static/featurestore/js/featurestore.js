/* Small comforts; every page works without them. Loaded in the head so that the chosen theme is there
   before the first paint; everything else waits for the document. */
(function () {
  "use strict";

  var THEMES = ["auto", "light", "dark"];
  var root = document.documentElement;

  function chosenTheme() {
    try {
      var theme = localStorage.getItem("theme");
      return THEMES.indexOf(theme) > 0 ? theme : "auto";
    } catch (error) {
      return "auto"; // storage is switched off
    }
  }

  function applyTheme(theme) {
    if (theme === "auto") {
      root.removeAttribute("data-theme");
    } else {
      root.setAttribute("data-theme", theme);
    }
  }

  if (chosenTheme() !== "auto") {
    applyTheme(chosenTheme());
  }
  root.classList.add("has-script");

  function themeButton(button) {
    function show() {
      var theme = chosenTheme();
      button.textContent = { auto: "◐", light: "☀", dark: "☾" }[theme] + "\u00a0" + theme;
      button.setAttribute("aria-label", { auto: "Theme: auto", light: "Theme: light", dark: "Theme: dark" }[theme]);
      button.title = button.getAttribute("aria-label");
    }
    button.addEventListener("click", function () {
      var next = THEMES[(THEMES.indexOf(chosenTheme()) + 1) % THEMES.length];
      try {
        localStorage.setItem("theme", next);
      } catch (error) {
        return;
      }
      applyTheme(next);
      show();
    });
    button.hidden = false;
    show();
  }

  function copyButton(button) {
    var source = document.getElementById(button.getAttribute("data-copy"));
    if (!source || !navigator.clipboard) {
      return; // only pages over https (or this machine) may write to the clipboard
    }
    var label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(source.textContent.replace(/\n$/, "")).then(
        function () {
          button.textContent = "Copied";
          setTimeout(function () { button.textContent = label; }, 1600);
        },
        function () { button.textContent = "Select and copy by hand"; }
      );
    });
  }

  function isTyping(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }

  document.addEventListener("keydown", function (event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) {
      return;
    }
    var field = document.querySelector("[data-search-main]") || document.querySelector("[data-search]");
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  });

  // Links that change the state of a part (also those inside drawings) swap that part instead of the page.
  document.addEventListener("click", function (event) {
    var link = event.target.closest ? event.target.closest("a[href^='?']") : null;
    var part = link && link.closest("[data-swap-links]");
    if (!part || !window.htmx || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    var target = part.getAttribute("data-swap-links");
    window.htmx.ajax("GET", location.pathname + link.getAttribute("href"), {
      source: part, target: target, select: target, swap: "outerHTML"
    });
  });

  document.addEventListener("change", function (event) {
    var form = event.target.form;
    // A search field is followed while one types; leaving it for a link must not ask once more.
    if (form && form.hasAttribute("data-submit-on-change") && event.target.type !== "search") {
      form.requestSubmit();
    }
  });

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-theme-toggle]").forEach(themeButton);
    document.querySelectorAll("[data-copy]").forEach(copyButton);
  });
})();
