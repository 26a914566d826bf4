// What the pages do: filter, show times as the clock on the wall has them, and keep up to date. Without it they are as
// good to read. One constant text: the policy names its hash, and nothing else may run on a page.
//
// Pages from files may not look into each other, so they tell: now.html says which sheet is the newest. What is told is
// compared and never shown; a message from anywhere else is not heard.

enum Script {
    /// Of `text`, as the policy names it (see ``Style/hash``).
    static let hash = "sha256-6FTSloVnoIyGHGVo1LVsaGnrV2+WgJHionHIW2ilia8="

    static let text = #"""
        "use strict";
        (() => {
          const kind = document.documentElement.dataset.kind;
          const find = name => document.querySelector(name);
          // Files have no origin to be told apart by; pages of the door hear only each other.
          const listener = location.protocol === "file:" ? "*" : location.origin;

          // Early, and while the event is on its way down: those of pictures do not bubble.
          document.addEventListener("error", event => {
            const image = event.target;
            if (!(image instanceof HTMLImageElement)) return;
            if (kind === "now") { image.hidden = true; return; }
            const place = image.closest(".plate a");
            if (!place) return;
            place.classList.add("gone");
            place.textContent = "deleted";
          }, true);

          const times = () => {
            const style = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
            for (const time of document.querySelectorAll("time")) {
              const moment = new Date(time.dateTime);
              if (isNaN(moment)) continue;
              time.title = moment.toLocaleString();
              time.textContent = moment.toDateString() === new Date().toDateString()
                ? moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : moment.toLocaleString([], style);
            }
          };

          // What outlives a reload. A browser may forbid it.
          const memory = {
            get: name => { try { return sessionStorage.getItem(location.pathname + name); } catch { return null; } },
            set: (name, value) => { try { sessionStorage.setItem(location.pathname + name, value); } catch { } },
          };

          const filter = () => {
            const field = find("#filter"), count = find("#count");
            const items = [...document.querySelectorAll("main li")].map(item => {
              const seen = [item.textContent, ...[...item.querySelectorAll("[title]")].map(part => part.title)];
              return { item, text: seen.join(" ").toLowerCase() };
            });
            const apply = () => {
              const words = field.value.toLowerCase().split(/\s+/).filter(word => word);
              let shown = 0;
              for (const { item, text } of items) {
                item.hidden = !words.every(word => text.includes(word));
                if (!item.hidden) shown++;
              }
              count.textContent = words.length ? shown + " of " + items.length : "";
              memory.set("filter", field.value);
            };
            find("form").hidden = false;
            find("form").addEventListener("submit", event => event.preventDefault());
            field.addEventListener("input", apply);
            field.value = memory.get("filter") || "";
            apply();
          };

          // A reload keeps what is read where it is, although new results come before it.
          const address = item => item.querySelector("a")?.getAttribute("href");
          const keepPlace = () => {
            const items = [...document.querySelectorAll("main li")].filter(item => !item.hidden);
            const item = scrollY > 40 ? items.find(item => item.getBoundingClientRect().top >= 0) : undefined;
            const focused = document.activeElement;
            memory.set("place", JSON.stringify({
              href: item && address(item), top: item && item.getBoundingClientRect().top,
              focus: focused?.id || focused?.getAttribute("href"),
            }));
          };
          const takePlace = () => {
            const place = JSON.parse(memory.get("place") || "null");
            memory.set("place", "null");
            if (!place) return;
            if (place.focus) {
              const focused = [...document.querySelectorAll("a, input")]
                .find(part => part.id === place.focus || part.getAttribute("href") === place.focus);
              focused?.focus({ preventScroll: true });
            }
            const item = place.href && [...document.querySelectorAll("main li")].find(item => address(item) === place.href);
            if (!item) return;
            history.scrollRestoration = "manual";
            scrollTo(0, scrollY + item.getBoundingClientRect().top - place.top);
          };

          const follow = () => {
            const version = find("meta[name=sdspool-sheet]").content;
            const box = find(".now"), wanted = find("#follow");
            let shown = box.querySelector("iframe"), next, told;
            const fit = (frame, height) => { if (height > 0) frame.style.height = Math.min(height, 20000) + "px"; };
            const newer = sheet => {
              // Once for each: a sheet that cannot be read anew must not be asked for again and again.
              if (!wanted.checked || memory.get("seen") === sheet) { find("#newer").hidden = false; return; }
              memory.set("seen", sheet);
              keepPlace();
              location.reload();
            };
            addEventListener("message", event => {
              const { now, sheet, height } = event.data ?? {};
              if (typeof now !== "string" || typeof sheet !== "string" || typeof height !== "number") return;
              if (event.source === shown.contentWindow) {
                fit(shown, height);
              } else if (next && event.source === next.contentWindow) {
                if (now === told) { next.remove(); next = undefined; } else {
                  fit(next, height);
                  next.classList.remove("next");
                  next.removeAttribute("aria-hidden");
                  next.removeAttribute("tabindex");
                  shown.remove();
                  [shown, next] = [next, undefined];
                }
              } else return;
              told = now;
              if (sheet && sheet !== version) newer(sheet);
            });
            // What is the same as before stays, for those who are reading it.
            setInterval(() => {
              if (!wanted.checked || document.hidden) return;
              next?.remove();
              next = shown.cloneNode();
              next.classList.add("next");
              next.setAttribute("aria-hidden", "true");
              next.tabIndex = -1;
              box.append(next);
            }, 2000);
            wanted.checked = memory.get("follow") !== "no";
            wanted.addEventListener("change", () => memory.set("follow", wanted.checked ? "yes" : "no"));
            // The first one may have spoken before anybody listened.
            shown.contentWindow.postMessage("speak", listener);
          };

          const tell = () => {
            if (parent === window) { setTimeout(() => location.reload(), 2000); return; }
            const speak = () => parent.postMessage({
              now: find("main").outerHTML, sheet: find("meta[name=sdspool-sheet]").content,
              height: Math.ceil(document.body.getBoundingClientRect().height),
            }, listener);
            addEventListener("message", event => { if (event.source === parent) speak(); });
            addEventListener("resize", speak);
            addEventListener("load", speak);
          };

          document.addEventListener("DOMContentLoaded", () => {
            times();
            if (kind === "now") { tell(); return; }
            filter();
            takePlace();
            if (kind === "sheet") follow();
          });
        })();
        """#
}
