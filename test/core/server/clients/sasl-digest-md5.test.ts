import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DigestMd5 } from '../../../../core/server/clients/sasl-digest-md5.js';

const PASSWORDS = new Map([
  ['bob', 'bobsecret'],
  ['pä', 'pässword'],
  ['密', '密码'],
]);
const passwordOf = (user: string): string | null => PASSWORDS.get(user) ?? null;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What clients of ZooKeeper 3.9.5 sent and were answered. */
const KAZOO = {
  nonce: 'kMApXNQu6Vy9fOolgWlDbxT0aBaRhYtEXXnl2J+j',
  answer:
    'qop=auth,realm="zk-sasl-md5",username="bob",nonce="kMApXNQu6Vy9fOolgWlDbxT0aBaRhYtEXXnl2J+j",cnonce="09372424920554334",' +
    'nc=00000001,digest-uri="zookeeper/zk-sasl-md5",response=94083514bdd67ae1ac45f45d6b535778',
  rspauth: 'b1d2ac4e1797ebd0429bd0967701fc99',
};
const JAVA = {
  nonce: 'o5xs53IV3+85DZUBlIo/B2EnpaRDa3qGo7/z09+y',
  answer:
    'charset=utf-8,username="bob",realm="zk-sasl-md5",nonce="o5xs53IV3+85DZUBlIo/B2EnpaRDa3qGo7/z09+y",nc=00000001,' +
    'cnonce="lJL1SS9X+csKoqwm+XcUiHK2pHlMzbiv+6gDtjt9",digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,' +
    'response=2a83fb7b07f733fcb4043910c7a4291a,qop=auth,authzid="bob"',
  rspauth: '2ec1ff66ed77938ece2c69e33389b07f',
};

function verdict(answer: string, nonce = KAZOO.nonce): string | null {
  const success = new DigestMd5(nonce).verify(bytes(answer), passwordOf);
  return success === null ? null : `${success.user} ${new TextDecoder().decode(success.token)}`;
}

test('the answers of kazoo and of the Java client are accepted, and answered as ZooKeeper does', () => {
  for (const { nonce, answer, rspauth } of [KAZOO, JAVA])
    assert.is(verdict(answer, nonce), `bob rspauth=${rspauth}`);
});

test('the challenge names realm, nonce, charset and algorithm as ZooKeeper does', () => {
  assert.is(
    new TextDecoder().decode(new DigestMd5('abc').challenge),
    'realm="zk-sasl-md5",nonce="abc",charset=utf-8,algorithm=md5-sess',
  );
});

test('directives may come in any form that RFC 2831 allows', () => {
  const { answer } = KAZOO;
  for (const variant of [
    answer.replace('qop=auth,', ''),
    answer.replace('qop=auth', 'QOP = "auth"'),
    answer.replaceAll(',', ' ,  ,'),
    `${answer},,`,
    `${answer},unknown="a,b=\\"c\\""`,
    answer.replace('"bob"', '"b\\ob"'),
  ])
    assert.is(verdict(variant), `bob rspauth=${KAZOO.rspauth}`, variant);
});

test('answers that prove nothing are refused', () => {
  const { answer } = KAZOO;
  for (const variant of [
    '',
    'nonsense',
    answer.replace('qop=auth', 'qop=auth-int'),
    answer.replace('zk-sasl-md5",username', 'other",username'),
    answer.replace('realm="zk-sasl-md5",', ''),
    answer.replace('zookeeper/zk-sasl-md5', 'zookeeper/elsewhere'),
    answer.replace('nc=00000001', 'nc=00000002'),
    answer.replace('kMAp', 'XXXX'),
    answer.replace(/cnonce="[^"]*",/, ''),
    answer.replace('username="bob"', 'username="bob",username="bob"'),
    answer.replace('username="bob"', 'username="eve"'),
    answer.replace('94083514', '00000000'),
    answer.replace(/,response=.*/, ''),
    `${answer},x="`,
    answer.padEnd(5_000, ','),
  ])
    assert.is(verdict(variant), null, variant);
});

/** An answer with the hash of user and password in the given charset. */
function answerOf(user: string, charset: 'latin1' | 'utf8'): string {
  const md5 = (content: Buffer | string): Buffer => createHash('md5').update(content).digest();
  const secret = Buffer.from(`${user}:zk-sasl-md5:${PASSWORDS.get(user)}`, charset);
  const first = md5(Buffer.concat([md5(secret), Buffer.from(`:${KAZOO.nonce}:c`)])).toString('hex');
  const second = md5('AUTHENTICATE:zookeeper/zk-sasl-md5').toString('hex');
  const response = md5(`${first}:${KAZOO.nonce}:00000001:c:auth:${second}`).toString('hex');
  return (
    `username="${user}",realm="zk-sasl-md5",nonce="${KAZOO.nonce}",cnonce="c",nc=00000001,` +
    `digest-uri="zookeeper/zk-sasl-md5",response=${response}`
  );
}

test('a password beyond ASCII is accepted in Latin-1, as Java hashes it, and in UTF-8, as others do', () => {
  for (const charset of ['latin1', 'utf8'] as const)
    assert.match(verdict(answerOf('pä', charset)) ?? '', /^pä rspauth=/, charset);
  assert.match(verdict(answerOf('密', 'utf8')) ?? '', /^密 rspauth=/);
});

test.run();
