import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  completeInstance,
  decodeInstance,
  encodeInstance,
} from '../../../../core/recipes/discovery/service-instance.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** As Curator's JsonInstanceSerializer writes it. */
const CURATOR_RECORD = {
  name: 'billing',
  id: '1c0b3e9e-1111-4222-8333-abcdefabcdef',
  address: '10.0.0.1',
  port: 8080,
  sslPort: null,
  payload: { '@class': 'com.acme.Details', zone: 'a' },
  registrationTimeUTC: 1_700_000_000_000,
  serviceType: 'DYNAMIC',
  uriSpec: {
    parts: [
      { value: 'scheme', variable: true },
      { value: '://', variable: false },
      { value: 'address', variable: true },
    ],
  },
};

test("Curator's record is read, field by field, and written as it was", () => {
  const instance = decodeInstance(bytes(JSON.stringify(CURATOR_RECORD)));
  assert.equal(instance, { ...CURATOR_RECORD, enabled: true });
  assert.equal(JSON.parse(encodeInstance(instance!)), CURATOR_RECORD);
});

test('every field that a Java reader knows is written, and no other', () => {
  const instance = completeInstance({ name: 'billing' }, { id: 'x', registrationTimeUTC: 5 });
  assert.is(
    encodeInstance(instance),
    '{"name":"billing","id":"x","address":null,"port":null,"sslPort":null,"payload":null,' +
      '"registrationTimeUTC":5,"serviceType":"DYNAMIC","uriSpec":null}',
  );
});

test('fields unknown or of another type are ignored; what is no record is null', () => {
  const odd = {
    ...CURATOR_RECORD,
    port: 'eighty',
    sslPort: 0,
    serviceType: 'NEW',
    uriSpec: [],
    enabled: false,
  };
  const instance = decodeInstance(bytes(JSON.stringify(odd)));
  assert.is(instance?.port, null);
  assert.is(instance?.sslPort, null);
  assert.is(instance?.serviceType, 'DYNAMIC');
  assert.is(instance?.uriSpec, null);
  assert.is(instance?.enabled, false);
  for (const text of ['', 'x', '[]', '"text"', 'null', '{}', '{"name":"a"}'])
    assert.is(decodeInstance(bytes(text)), null, text);
  assert.is(decodeInstance(null), null);
});

test.run();
