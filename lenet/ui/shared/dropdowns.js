// Mends Gradio's dropdowns: Tab leaves one, but then its list opened again, since Gradio handles the
// key too late. The key moves the focus all the same when Gradio does not see it.

document.addEventListener(
  "keydown",
  (event) => {
    const { key, target } = event;
    if (key !== "Tab" || !(target instanceof Element)) return;
    if (target.matches("[role=combobox]")) event.stopPropagation();
  },
  { capture: true },
);
