// Makes a whole link of a new run's settings, and copies it.

import { finder, setText } from "../shared/dom.js";

/** @import { View } from "../shared/dom.js" */

/**
 * The address that shows the page to others, without settings.
 *
 * In a Space's frame that is the Space's page, which hands the settings on to the frame, if the
 * browser tells its address. Most tell its host alone; then it is the frame's own address.
 *
 * @param {{ origin: string, pathname: string }} here
 * @param {string} outside the page whose frame this is; empty where it is none's
 */
export function shared(here, outside) {
  const space = /^https:\/\/huggingface\.co\/spaces\/[\w.-]+\/[\w.-]+/.exec(outside);
  return space ? space[0] : here.origin + here.pathname;
}

// A fold that is opened again is mounted again; then what was changed in it must stay.
let told = false;

/** @param {View<{ value: { query: string } | null }, unknown>} view */
export function mount({ element, props, trigger, watch }) {
  const find = finder(element);
  if (!told) trigger("shown");
  told = true;

  watch("value", async () => {
    if (!props.value?.query) return;
    const outside = window.parent === window ? "" : document.referrer;
    const field = find("input", HTMLInputElement);
    field.value = shared(location, outside) + props.value.query;
    find("#train-link-copied").hidden = false;
    let words = "Copied.";
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // Without https, or in a frame that may not, a page cannot copy.
      words = "Copy it from here.";
      field.select();
    }
    setText(find("[role=status]"), words);
  });
}
