import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decades, picture, roundSteps, type Panel } from './svg.js';

const PANEL: Panel = {
  title: 'Sets < gets',
  x: { says: 'znodes', scale: 'log', ticks: [10, 1000] },
  y: { says: '/s', scale: 'linear' },
  lines: [
    {
      name: 'set',
      points: [
        { x: 10, y: 0 },
        { x: 1000, y: 80 },
      ],
    },
    { name: 'get', points: [{ x: 100, y: 100 }] },
  ],
};

test('a logarithmic axis has a label at every power of ten that its values touch', () => {
  assert.equal(decades(30, 40_000), [10, 100, 1000, 10_000, 100_000]);
  assert.equal(decades(3, 8), [2, 5, 10]);
  assert.equal(decades(1, 1), [1]);
});

test('a linear axis goes from nothing to above its values in round steps', () => {
  assert.equal(roundSteps(87), [0, 20, 40, 60, 80, 100]);
  assert.equal(roundSteps(0), [0, 0.2, 0.4, 0.6, 0.8, 1]);
});

test('a point of a line is where its values are on the axes', () => {
  const dots = [...picture([PANEL]).matchAll(/circle class="dot c(\d)" cx="([\d.]+)" cy="([\d.]+)"/g)];
  const places = dots.map(([, colour, x, y]) => [colour, Number(x), Number(y)]);

  assert.equal(places, [
    ['0', 68, 274],
    ['0', 444, 82],
    ['1', 256, 34],
  ]);
});

test('a picture is well-formed and knows what to look like on a dark page', () => {
  const text = picture([PANEL, PANEL]);

  assert.is(text.match(/<g\b/g)!.length, text.match(/<\/g>/g)!.length);
  assert.match(text, 'Sets &lt; gets');
  assert.match(text, 'prefers-color-scheme: dark');
});

test.run();
