// The canvas of the pad: it shows a drawing, as sharp as the screen.

import { contextOf } from "../shared/dom.js";
import { decode } from "../shared/pixels.js";
import { HEIGHT, WIDTH } from "./drawing.js";

/** @import { Box } from "../shared/events.js" */
/** @import { Drawing, Point } from "./drawing.js" */

const FRAME = 28; // pixels a side of a picture's digit
const PEN_WIDTH = 44;
const INK = "#1c1917"; // the dark theme inverts it

/**
 * Where a frame lies on the pad: the frames form a row in its middle.
 *
 * @param {number} i its place
 * @param {number} count of the frames
 * @param {number} [within] share of its side that is left out all around
 * @returns {Box}
 */
export function frameBox(i, count, within = 0) {
  const side = Math.min(HEIGHT, WIDTH / count);
  const left = (WIDTH - count * side) / 2 + i * side;
  const top = (HEIGHT - side) / 2;
  const out = within * side;
  return [left + out, top + out, left + side - out, top + side - out];
}

export class Paper {
  #canvas;
  #context;
  #drawing;

  /** @param {HTMLCanvasElement} canvas @param {Drawing} drawing */
  constructor(canvas, drawing) {
    this.#canvas = canvas;
    this.#context = contextOf(canvas);
    this.#drawing = drawing;
    const fit = () => this.#fit();
    new ResizeObserver(fit).observe(canvas);
    addEventListener("resize", fit); // zoom and another screen change the density alone
  }

  /** Show the drawing as it is now. */
  repaint() {
    const { strokes, picture } = this.#drawing;
    this.#context.clearRect(0, 0, WIDTH, HEIGHT);
    if (picture) this.#paintPicture(decode(picture));
    for (const stroke of strokes) this.paint(stroke);
  }

  /** Add a line to what is shown. @param {Point[]} points */
  paint(points) {
    const context = this.#context;
    const [[x, y]] = points;
    context.beginPath();
    context.moveTo(x + 0.01, y); // a line without any length paints no dot
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
  }

  /** @param {Uint8Array} bytes of one frame after the other */
  #paintPicture(bytes) {
    const size = FRAME * FRAME;
    const count = bytes.length / size;
    const small = new OffscreenCanvas(FRAME, FRAME);
    for (let i = 0; i < count; i++) {
      const ink = new ImageData(FRAME, FRAME);
      const own = bytes.subarray(i * size, (i + 1) * size);
      for (const [pixel, value] of own.entries()) ink.data[4 * pixel + 3] = value;
      contextOf(small).putImageData(ink, 0, 0);
      const [x0, y0, x1] = frameBox(i, count);
      this.#context.drawImage(small, x0, y0, x1 - x0, x1 - x0);
    }
  }

  #fit() {
    const width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (width === 0 || width === this.#canvas.width) return; // 0 where the tab is hidden
    const scale = width / WIDTH;
    this.#canvas.width = width;
    this.#canvas.height = Math.round(HEIGHT * scale);
    const context = this.#context;
    context.scale(scale, scale);
    context.strokeStyle = INK;
    context.lineWidth = PEN_WIDTH;
    context.lineCap = context.lineJoin = "round";
    this.repaint();
  }
}
