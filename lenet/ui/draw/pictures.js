// Pictures that are pasted, dropped on the pad or chosen: the browser opens and shrinks them.

import { contextOf, make } from "../shared/dom.js";

const SIDE = 400; // pixels: the server looks for ink in 256, and a request holds 1 MB

/**
 * @param {HTMLElement} sheet the pad, where pictures are dropped
 * @param {HTMLInputElement} field where they are chosen
 * @param {(picture: File) => void} take
 */
export function onPicture(sheet, field, take) {
  /** @param {Event} event @param {DataTransfer | null} data */
  const takeFrom = (event, data) => {
    const picture = [...(data?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (!picture) return;
    event.preventDefault();
    take(picture);
  };
  document.addEventListener("paste", (event) => takeFrom(event, event.clipboardData));
  sheet.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); // it may be dropped
  });
  sheet.addEventListener("drop", (event) => takeFrom(event, event.dataTransfer));
  field.addEventListener("change", () => {
    const [picture] = field.files ?? [];
    if (picture) take(picture);
    field.value = ""; // the same one may be chosen again
  });
}

/**
 * A picture that is small enough to be sent: a PNG in base64.
 *
 * @param {Blob} picture in any format that the browser knows
 * @returns {Promise<string>}
 * @throws {DOMException} it cannot be opened
 */
export async function shrunk(picture) {
  const bitmap = await createImageBitmap(picture);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = make("canvas", { width, height });
  const context = contextOf(canvas);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return canvas.toDataURL("image/png").split(",")[1];
}
