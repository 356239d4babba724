import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LOCAL_ERRORS, SERVER_ERRORS } from '../../core/client/index.js';
import { disagreement, documentedRows, productSources } from './sources.js';

const PAGE = 'framework/ERRORS.md';

/** Where a code is given: to a constructor of an error, as the facts of a class, or as a field. */
const GIVEN =
  /(?:\b(?:super|known|answered|\w*Error|\w*Refused)\(\s*|\bcode(?::|\s*=|\s*\?\?)\s*)'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)'/g;

/** Of the system, and given on by the disk in memory. */
const ERRNO = /^E[A-Z]+$/;

const sources = productSources('core', 'framework', 'plugins');

test('every error code that the product can give has a line in the reference, and no line outlived its code', () => {
  const given = sources.flatMap(({ text }) => [...text.matchAll(GIVEN)].map((match) => match[1]!));
  const codes = given.filter((code) => !ERRNO.test(code));
  const documented = documentedRows(PAGE).map(([code]) => code!);
  assert.ok(codes.length > 80, `only ${codes.length} codes were found in the sources`);
  assert.equal(
    disagreement(codes, documented),
    { undocumented: [], outlived: [] },
    `put the missing codes into ${PAGE}, and take out those that nothing gives any more`,
  );
  assert.is(new Set(documented).size, documented.length, 'a code has two lines');
});

test('every error is made with a code that the reference can be held against', () => {
  const unclear = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/new QuorateError\(\s*([^\s,]+)/g)]
      .filter((match) => !match[1]!.startsWith("'"))
      .map((match) => `${file}: ${match[1]}`),
  );
  assert.equal(unclear, []);
});

test('the reference says of every error of the client what its class says: whether to call again', () => {
  const rows = new Map(documentedRows(PAGE, 'Of the client').map(([code, , again]) => [code, again]));
  for (const { facts } of [...SERVER_ERRORS, ...LOCAL_ERRORS]) {
    const again = rows.get(facts.code);
    if (facts.code === 'MULTI_FAILED') assert.is(again, 'like cause');
    else assert.is(again === 'yes', facts.retryable, facts.code);
  }
});

test('every line of the reference says what an error means, whether to call again, and what to do', () => {
  for (const [code, means, again, remedy, ...rest] of documentedRows(PAGE)) {
    assert.equal(rest, [], code);
    assert.match(again!, /^(?:yes|no|look first|like cause)$/, code);
    assert.ok(means !== '' && remedy !== '', code);
  }
});

test.run();
