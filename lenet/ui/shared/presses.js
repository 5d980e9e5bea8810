// Mends what Gradio makes of keys and presses.

const STARTS = "#train-start, #train-seeds, #train-resume";
/** Each is disabled once it is pressed. @type {Record<string, string>} */
const OTHER = { "train-stop": "train-resume", "train-resume": "train-stop" };

// When Tab had left a dropdown, its list opened again, since Gradio handles the key too late. Where
// Gradio does not see the key, the browser moves the focus all the same. A key that is held does not
// start a second run, nor does a double click.
document.addEventListener(
  "keydown",
  (event) => {
    const { key, target } = event;
    if (!(target instanceof Element)) return;
    if (key === "Tab" && target.matches("[role=combobox]")) event.stopPropagation();
    if (event.repeat && key === "Enter" && target.matches(STARTS)) event.preventDefault();
  },
  { capture: true },
);
document.addEventListener(
  "click",
  (event) => {
    const { detail, target } = event;
    if (detail > 1 && target instanceof Element && target.closest(STARTS)) event.stopPropagation();
  },
  { capture: true },
);

// Stop and Resume hand the focus to each other, or it would be nowhere.
let focused = "";
document.addEventListener("focusin", ({ target }) => {
  focused = target instanceof Element ? target.id : "";
});
new MutationObserver(() => {
  const [mine, other] = [focused, OTHER[focused]].map((id) => document.getElementById(id));
  const at = document.activeElement;
  if (!mine?.matches(":disabled") || (at !== mine && at !== document.body)) return;
  if (other?.matches(":enabled")) other.focus();
}).observe(document.documentElement, { subtree: true, attributeFilter: ["disabled"] });
