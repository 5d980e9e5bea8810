// Mends Gradio's dropdowns: when Tab had left one, its list opened again, since Gradio handles the
// key too late. Where Gradio does not see the key, the browser moves the focus all the same.

document.addEventListener(
  "keydown",
  (event) => {
    const { key, target } = event;
    if (key !== "Tab" || !(target instanceof Element)) return;
    if (target.matches("[role=combobox]")) event.stopPropagation();
  },
  { capture: true },
);
