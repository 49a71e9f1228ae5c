/* Comforts of searching: ticks for comparing, the palette on Ctrl-K. Pages work without them. */
(function () {
  "use strict";

  function countTicks(form) {
    var most = Number(form.getAttribute("data-most"));
    var boxes = Array.prototype.slice.call(form.querySelectorAll('input[name="f"]'));
    var ticked = boxes.filter(function (box) { return box.checked; });
    boxes.forEach(function (box) { box.disabled = !box.checked && ticked.length >= most; });
    form.querySelectorAll(".compare-bar").forEach(function (bar) {
      bar.classList.toggle("compare-bar--on", ticked.length > 0);
      var button = bar.querySelector("button");
      button.disabled = ticked.length < 2;
      bar.querySelector("span").textContent = ticked.length
        ? ticked.map(function (box) { return box.value.split(":").pop(); }).join(", ")
        : bar.getAttribute("data-hint");
    });
  }

  function comparing(root) {
    root.querySelectorAll("[data-compare]").forEach(function (form) {
      form.querySelectorAll(".compare-bar").forEach(function (bar) {
        bar.setAttribute("data-hint", bar.querySelector("span").textContent);
      });
      form.addEventListener("change", function () { countTicks(form); });
      countTicks(form);
    });
  }

  /* What was removed beside the field (a token) is removed in it too, unless somebody is typing there. */
  function sameWords(root) {
    var told = root.querySelector("[data-q]");
    var field = document.getElementById("search");
    if (told && field && document.activeElement !== field) {
      field.value = told.getAttribute("data-q");
    }
  }

  function palette(dialog) {
    var field = dialog.querySelector("input");
    var list = dialog.querySelector(".palette__list");
    var at = 0;

    function links() { return Array.prototype.slice.call(list.querySelectorAll('[role="option"]')); }

    function show(place) {
      var all = links();
      at = all.length ? (place + all.length) % all.length : 0;
      all.forEach(function (link, index) {
        link.id = "palette-" + index;
        link.setAttribute("aria-selected", index === at ? "true" : "false");
      });
      if (all[at]) {
        field.setAttribute("aria-activedescendant", all[at].id);
        all[at].scrollIntoView({ block: "nearest" });
      } else {
        field.removeAttribute("aria-activedescendant");
      }
    }

    document.addEventListener("keydown", function (event) {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (dialog.open) {
          dialog.close();
          return;
        }
        dialog.showModal();
        field.select();
        field.dispatchEvent(new Event("opened"));
      }
    });
    field.addEventListener("keydown", function (event) {
      var moves = { ArrowDown: 1, ArrowUp: -1 };
      if (moves[event.key]) {
        event.preventDefault();
        show(at + moves[event.key]);
      } else if (event.key === "Enter") {
        event.preventDefault();
        var chosen = links()[at];
        if (chosen) {
          chosen.click();
        }
      }
    });
    dialog.addEventListener("click", function (event) {
      if (event.target === dialog) {
        dialog.close();
      }
    });
    list.addEventListener("htmx:afterSwap", function () { show(0); });
  }

  document.addEventListener("DOMContentLoaded", function () {
    comparing(document);
    document.querySelectorAll("dialog.palette").forEach(palette);
    document.body.addEventListener("htmx:afterSwap", function (event) {
      if (event.detail.target.id === "results") {
        comparing(event.detail.target);
        sameWords(event.detail.target);
      }
    });
  });
})();
