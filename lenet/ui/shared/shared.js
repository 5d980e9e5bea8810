// What the page's scripts share. Python puts this text in front of each one's own, so both are one
// function. Pixels come from the server as base64 of a byte each, row by row.

const ORANGE = [213, 94, 0]; // told apart from blue by all eyes (Okabe and Ito's palette)
const BLUE = [0, 114, 178];

const decode = (encoded) => Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));

const gray = (value) => [value, value, value];

// White at 0, orange at 1, blue at −1.
function twoSided(share) {
  const full = share < 0 ? BLUE : ORANGE;
  return full.map((channel) => 255 + (channel - 255) * Math.min(Math.abs(share), 1));
}

// Give each pixel of a canvas its colour, by its number.
function paintPixels(canvas, colour) {
  const image = new ImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++) image.data.set([...colour(i), 255], 4 * i);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// An element with properties, and with elements or text in it.
function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

