// The canvas of the pad: it shows a drawing, as sharp as the screen.

import { contextOf } from "../shared/dom.js";
import { decode } from "../shared/pixels.js";
import { HEIGHT, WIDTH } from "./drawing.js";

/** @import { Drawing, Point } from "./drawing.js" */

const FRAME = 28; // pixels a side of a picture
const PEN_WIDTH = 44;
const INK = "#1c1917"; // the dark theme inverts it

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
    addEventListener("resize", fit); // the zoom and the screen change the density alone
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

  /** @param {Uint8Array} bytes */
  #paintPicture(bytes) {
    const ink = new ImageData(FRAME, FRAME);
    for (const [i, value] of bytes.entries()) ink.data[4 * i + 3] = value;
    const small = new OffscreenCanvas(FRAME, FRAME);
    contextOf(small).putImageData(ink, 0, 0);
    this.#context.drawImage(small, (WIDTH - HEIGHT) / 2, 0, HEIGHT, HEIGHT);
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
