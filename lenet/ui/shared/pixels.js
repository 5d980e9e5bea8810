// Pixels and their colours. Pixels come from the server as base64 of a byte each, row by row.

export const ORANGE = [213, 94, 0]; // told apart from blue by all eyes (Okabe and Ito's palette)
export const BLUE = [0, 114, 178];

export const decode = (encoded) => Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));

export const gray = (value) => [value, value, value];

// White at 0, orange at 1, blue at −1.
export function twoSided(share) {
  const full = share < 0 ? BLUE : ORANGE;
  return full.map((channel) => 255 + (channel - 255) * Math.min(Math.abs(share), 1));
}

// Give each pixel of a canvas its colour, by its number.
export function paintPixels(canvas, colour) {
  const image = new ImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++) image.data.set([...colour(i), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}
