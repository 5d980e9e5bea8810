// What the tabs that show data sets share.
//
// A frame comes from the server as base64 of its bytes, row by row. Whatever comes from there reaches
// the page as text or as pixels, never as HTML.

import { make } from "./dom.js";
import { decode, gray, paintPixels } from "./pixels.js";

const PATIENCE = 150; // milliseconds before progress is shown, and between two looks at it
export const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

export const count = (number) => number.toLocaleString("en");
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

// White ink on black paper, as the network gets it.
export function picture(frame, label) {
  const bytes = decode(frame);
  const side = Math.sqrt(bytes.length);
  const canvas = make("canvas", { width: side, height: side, role: "img", ariaLabel: label });
  paintPixels(canvas, (i) => gray(bytes[i]));
  return canvas;
}

// Buttons of which one is pressed; `choose` gets its value. Returns what presses one without it.
export function choice(holder, options, choose) {
  const buttons = options.map(([value, text, label]) => {
    const button = make("button", { type: "button", ariaLabel: label ?? text }, text);
    button.addEventListener("click", () => {
      press(value);
      choose(value);
    });
    return [value, button];
  });
  function press(pressed) {
    for (const [value, button] of buttons) button.ariaPressed = String(value === pressed);
  }
  holder.replaceChildren(...buttons.map(([, button]) => button));
  press(options[0][0]);
  return press;
}

// What a tab that shows digits needs of its place on the page.
export function digitView({ element, server, trigger }) {
  const find = (selector) => element.querySelector(selector);

  async function ask(name, request) {
    return (await server[name](request)) ?? { error: "The server does not answer: try it again." };
  }

  // ---------------------------------------------------------------- what takes a while

  let waits = 0; // of the calls that take a while, only the latest one's progress is shown

  // The answer to a call that may take a second; until then, what `progress` says about it.
  async function askWithProgress(name, progress, request) {
    const mine = ++waits;
    const pause = () => new Promise((resolve) => setTimeout(resolve, PATIENCE));
    const follow = async () => {
      for (await pause(); mine === waits; await pause()) {
        const { text, share } = await ask(progress, request);
        if (mine !== waits || !text) return;
        find(".waiting").hidden = false;
        find(".waiting p").textContent = text;
        find("progress").hidden = share === null;
        find("progress").value = share ?? 0;
      }
    };
    follow();
    const answer = await ask(name, request);
    if (mine === waits) {
      waits += 1;
      find(".waiting").hidden = true;
    }
    return answer;
  }

  // Whether an answer is one: shows the report, or the sentence that stands in its place.
  function succeeded(answer) {
    find(".report").hidden = Boolean(answer.error);
    find(".error").hidden = !answer.error;
    find(".error").textContent = answer.error ?? "";
    return !answer.error;
  }

  // ---------------------------------------------------------------- frames

  // A frame as a button, with lines of text below it.
  function figure(frame, label, lines, press) {
    const button = make("button", {
      type: "button",
      className: "digit",
      ariaLabel: label,
      title: label,
    });
    button.append(picture(frame, ""));
    button.firstChild.ariaHidden = "true";
    button.addEventListener("click", press);
    const texts = lines.map((line) => make("span", {}, line));
    return make("figure", {}, button, make("figcaption", {}, ...texts));
  }

  // ---------------------------------------------------------------- one frame, large

  const dialog = make("dialog", { className: "large-digit" });
  element.append(dialog);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

  // What puts a frame on the pad, with the inside view open.
  function insideButton(frame, className) {
    const button = make("button", { type: "button", className }, "Look inside");
    button.title = "Put it on the pad and see what each layer makes of it";
    button.addEventListener("click", () => {
      dialog.close();
      document.dispatchEvent(new CustomEvent("lenet:open", { detail: { frame } }));
      trigger("draw");
    });
    return button;
  }

  function openLarge(title, frame, ...content) {
    const inside = insideButton(frame, "look-inside");
    const close = make("button", { type: "button" }, "Close");
    close.addEventListener("click", () => dialog.close());
    dialog.ariaLabel = title;
    dialog.replaceChildren(
      make("h3", {}, title),
      make("div", { className: "content" }, picture(frame, title), ...content),
      make("div", { className: "buttons" }, inside, close),
    );
    dialog.showModal();
  }

  return { find, ask, askWithProgress, succeeded, figure, insideButton, openLarge };
}
