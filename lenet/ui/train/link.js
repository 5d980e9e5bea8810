// Reads the page's address when it is opened: settings of a new run, or the tab to show.

/** @import { View } from "../shared/dom.js" */

/** @param {View<{ value: string, names: string[] }, unknown>} view */
export function mount({ props, trigger }) {
  const { search, hash } = location;
  const given = new URLSearchParams(search);
  if (hash !== "#train" && !props.names.some((name) => given.has(name))) return;
  props.value = search + hash;
  trigger("opened");
}
