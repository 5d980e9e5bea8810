// Parts of a view: finding them, making them, changing them.

/**
 * What Gradio gives to a view's `mount`, which `assets.py` calls.
 *
 * @template Props, Server
 * @typedef {object} View
 * @property {HTMLElement} element holds the view's template
 * @property {Props} props what Python gave to gr.HTML; always the latest
 * @property {Server} server the functions that it may call
 * @property {(event: string, data?: unknown) => void} trigger an event of the component
 * @property {(prop: string, listener: () => void) => void} watch a change of a prop
 */

/**
 * A function of the server: it answers a request, or nothing where the server does not answer.
 *
 * @template Request, Answer
 * @typedef {(request: Request) => Promise<Answer | { error: string } | null | undefined>} Call
 */

/**
 * A function that finds a part of a view, which must be there and of that type.
 *
 * @param {Element} element holds the view
 */
export function finder(element) {
  /**
   * @template {Element} [T=HTMLElement]
   * @param {string} selector
   * @param {{ new (): T }} [type]
   * @returns {T}
   */
  return (selector, type) => {
    const found = element.querySelector(selector);
    if (!(found instanceof (type ?? HTMLElement))) throw new Error(`The view has no ${selector}.`);
    return /** @type {T} */ (found);
  };
}

/**
 * An element with properties, and with elements or text in it.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} [properties]
 * @param {(Node | string)[]} children
 */
export function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/**
 * A button that does something when it is pressed.
 *
 * @param {(Node | string) | (Node | string)[]} content
 * @param {() => void} press
 * @param {Partial<HTMLButtonElement>} [properties]
 */
export function makeButton(content, press, properties) {
  const button = make("button", { type: "button", ...properties }, ...[content].flat());
  button.addEventListener("click", press);
  return button;
}

/**
 * Give an element a text. The same text is not written again: a screen reader would say it again.
 *
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The drawing context of a canvas. @param {HTMLCanvasElement | OffscreenCanvas} canvas */
export function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser gives no canvas to draw on.");
  return /** @type {CanvasRenderingContext2D} */ (context);
}

/** Whether the visitor wants little motion. */
export const wantsStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
