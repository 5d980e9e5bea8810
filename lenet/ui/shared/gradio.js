// What the page's scripts use of Gradio that Gradio does not document; only this file knows it: the
// components in `gradio_config`, calls of server functions, and the event that builds a tab.

/** @typedef {{ id: number, type: string, props: Record<string, unknown> }} Component */

const CALLS = "gradio_api/component_server/";
const BUILDS_TAB = "gradio_tab_select";

/** @param {(component: Component) => boolean} is */
function component(is) {
  const { gradio_config } = /** @type {any} */ (window);
  /** @type {Component[]} */
  const components = gradio_config?.components ?? [];
  return components.find(is);
}

/** @param {string} view its element's id */
const ofView = (view) => component(({ props }) => props.elem_id === view);

/** What Python gave to a view as its value. @param {string} view its element's id */
export const initialValue = (view) => ofView(view)?.props.value;

/**
 * Call a server function of a view, as Gradio's own scripts do once they have loaded.
 *
 * @param {string} view its element's id
 * @param {string} fn_name the function
 * @param {unknown} data its argument
 * @returns {Promise<any>} its answer, or null where the server does not answer
 */
export async function call(view, fn_name, data) {
  const body = { component_id: ofView(view)?.id, fn_name, data, session_hash: "early" };
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(CALLS, request).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

/**
 * Build the content of a tab before it is opened: it opens sooner.
 *
 * @param {string} tab its id
 * @param {(event: string, data: unknown) => void} trigger any view's
 */
export function buildTab(tab, trigger) {
  const found = component(({ type, props }) => type === "tabitem" && props.id === tab);
  if (found) trigger(BUILDS_TAB, { component_id: found.id });
}
