import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readSource } from '../house/imports.js';

const changelog = readSource('CHANGELOG.md');

/** The blocks of the changelog, newest first, by their headings. */
const releases = changelog
  .split(/^## /m)
  .slice(1)
  .map((block) => ({ name: block.slice(0, block.indexOf('\n')), text: block }));

const ORDER = ['Added', 'Changed', 'Fixed', 'Removed'];

/** The first words of what 0.1.0 was released with: what comes since belongs to `Unreleased`. */
const RELEASED_WITH_0_1_0 = [
  'Members',
  'Ensembles',
  'Lost and damaged disks',
  'Client',
  'Recipes',
  'Shards',
  'Applications are put together',
  'Applications tell how they are',
  'Leader jobs',
  'Configuration',
  'Services',
  'Queues',
  'Framework',
  'Engines',
  "ZooKeeper's own clients",
  'Speed',
  'Fixed',
  'Shell',
  'Documentation',
  'Testing of applications',
  'Testing',
];

test('every block of the changelog has its sections in the order Added, Changed, Fixed, Removed', () => {
  assert.is(releases[0]?.name, 'Unreleased');
  for (const { name, text } of releases) {
    const sections = [...text.matchAll(/^### (.*)$/gm)].map(([, section]) => section!);
    assert.equal(
      sections,
      ORDER.filter((section) => sections.includes(section)),
      name,
    );
  }
});

test('a merge does not leave a bullet of the changelog twice, in two releases or in one', () => {
  const firstLines = [...changelog.matchAll(/^- .*$/gm)].map(([line]) => line);
  assert.ok(firstLines.length > 10);
  const repeated = firstLines.filter((line, index) => firstLines.indexOf(line) !== index);
  assert.equal(repeated, []);
});

test('the block of 0.1.0 stays as it was released', () => {
  const released = releases.find(({ name }) => name.startsWith('0.1.0'));
  const titles = [...released!.text.matchAll(/^- \*\*(.*?)\.\*\*/gm)].map(([, title]) => title);
  assert.equal(titles, RELEASED_WITH_0_1_0);
});

test.run();
