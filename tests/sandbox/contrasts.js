// The text and the contrast of each visible element that contains text (WCAG 2).
const numbers = (color) => color.match(/[\d.]+/g).map(Number);
const light = (color) => numbers(color).slice(0, 3).map((v) => v / 255)
  .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (e) => numbers(getComputedStyle(e).backgroundColor)[3] === 0
  ? ground(e.parentElement) : getComputedStyle(e).backgroundColor;
const written = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
return [...document.querySelectorAll('body *')]
  .filter((e) => e.checkVisibility() && written(e))
  .map((e) => [light(getComputedStyle(e).color), light(ground(e)), e.textContent])
  .map(([a, b, text]) => [text, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
