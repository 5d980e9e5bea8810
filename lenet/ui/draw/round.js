// A guided round: the pad asks for one digit after the other, and keeps what is written.

import { asked, countEach, goalOf } from "../hand/examples.js";
import { hand } from "../hand/store.js";
import { finder, setText } from "../shared/dom.js";
import { onStartRound, openHand } from "../shared/events.js";
import { an } from "../shared/formats.js";

/**
 * @param {ReturnType<typeof finder>} find
 * @param {object} pad
 * @param {(digit: number) => void} pad.tell what is written is this digit
 * @param {() => void} pad.clear
 */
export function round(find, pad) {
  const strip = find("#pad-round");
  const next = find("#round-next", HTMLButtonElement);
  const hint = find(".hint");
  const usual = hint.textContent;
  /** How many there shall be of each digit; null where there is no round. @type {number | null} */
  let goal = null;

  const now = () => (goal === null ? null : asked(countEach(hand.examples), goal));

  function show() {
    const state = now();
    if (state?.digit === null) {
      goal = null;
      openHand();
    }
    const isOn = goal !== null && state !== null;
    strip.hidden = !isOn;
    find("#pad-examples").hidden = isOn;
    hint.classList.toggle("asks", isOn);
    const wanted = isOn && state.digit !== null ? `Write ${an(state.digit)} ${state.digit}` : usual;
    setText(hint, wanted);
    if (!isOn) return;
    setText(find("#pad-round p"), `${wanted} (${state.done + 1} of ${state.total})`);
    find("#pad-round progress", HTMLProgressElement).value = state.done / state.total;
  }

  function keep() {
    const digit = now()?.digit;
    if (typeof digit === "number") pad.tell(digit);
  }

  function leave() {
    goal = null;
    show();
    goToPad();
  }

  // What was pressed is gone, and the next thing is to draw.
  const goToPad = () => find("#pad").focus({ preventScroll: true });

  next.addEventListener("click", keep);
  find("#round-leave").addEventListener("click", leave);
  hand.onChange(() => goal !== null && show());
  onStartRound(() => {
    goal = goalOf(countEach(hand.examples));
    pad.clear();
    show();
    find(".sheet").scrollIntoView({ block: "nearest" });
    goToPad();
  });

  return {
    get isOn() {
      return goal !== null;
    },
    keep,
    /** @param {boolean} isEmpty whether nothing is drawn */
    follow: (isEmpty) => {
      next.disabled = isEmpty;
    },
  };
}
