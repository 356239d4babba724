import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseEnsemble } from '../../../../core/server/configuration/ensemble.js';
import { publishedConfiguration } from '../../../../core/server/configuration/published-configuration.js';

function textOf(members: Parameters<typeof publishedConfiguration>[0]): string | null {
  const bytes = publishedConfiguration(members);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

test('the members of an ensemble are published as ZooKeeper does, in the order of their numbers', () => {
  assert.is(
    textOf(parseEnsemble('2=b.example:7301,1=127.0.0.1,10=wss://[::1]:9:observer')),
    [
      'server.1=127.0.0.1:7300:7301:participant',
      'server.2=b.example:7301:7302:participant',
      'server.10=[::1]:9:10:observer',
      'version=0',
    ].join('\n'),
  );
  assert.is(textOf([{ id: 1, address: 'wss://a/x' }]), 'server.1=a:443:444:participant\nversion=0');
});

test('the two ports of a member are never the same: clients of ZooKeeper refuse that', () => {
  assert.match(textOf([{ id: 1, address: 'ws://a:65535' }])!, /^server\.1=a:65535:65534:participant\n/);
});

test('addresses that are none of host and port are not published', () => {
  assert.is(textOf([{ id: 1, address: 'member-1/peer' }]), null);
});

test.run();
