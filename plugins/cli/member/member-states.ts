import * as http from 'node:http';
import * as https from 'node:https';
import { parseConnectString } from '../../../core/client/index.js';
import { parseJson, QuorateError } from '../../../core/runtime/index.js';
import type { MemberHealth } from '../../../core/server/index.js';
import { nodeTlsSettings } from '../../../core/transport/index.js';
import { identityOptions } from '../identity-flags.js';
import type { EnsembleFlags } from '../on-ensemble.js';

export type MemberState = MemberHealth;

const ANSWER_MS = 5_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * What the members of `--connect` say of themselves, without those that do not answer. Rejects with `CONNECT_FAILED` if none answers, and
 * with `MEMBERS_NOT_SHOWN` if none shows itself to this identity.
 */
export async function memberStates(flags: EnsembleFlags): Promise<readonly MemberState[]> {
  const { scheme, addresses } = parseConnectString(flags.connect);
  if (scheme !== 'ws' && scheme !== 'wss')
    throw new QuorateError(
      'CONNECT_FAILED',
      `Cannot ask ${flags.connect}: give members of a Quorate ensemble as ws://host:port.`,
    );
  const answers = await Promise.allSettled(addresses.map((address) => ask(address, flags)));
  const states = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const shown = states.filter((state): state is MemberState => state !== null);
  if (shown.length > 0) return shown;
  if (states.length > 0)
    throw new QuorateError(
      'MEMBERS_NOT_SHOWN',
      'The members require an identity and show nothing to this one: give --auth digest:user:password of a user that they accept.',
    );
  throw new QuorateError('CONNECT_FAILED', `None of ${addresses.join(', ')} answers.`, {
    cause: (answers[0] as PromiseRejectedResult).reason,
  });
}

/** Null if it shows no more than whether it lives. */
async function ask(address: string, flags: EnsembleFlags): Promise<MemberState | null> {
  const body = await get(`${address.replace(/^ws/, 'http')}/livez`, flags);
  const state = parseJson(body) as Partial<MemberState>;
  return typeof state.id === 'number' ? (state as MemberState) : null;
}

function get(url: string, flags: EnsembleFlags): Promise<string> {
  const { auth = [], tls } = identityOptions(flags);
  const basic = auth.find(({ scheme }) => scheme === 'digest')?.auth;
  const headers =
    basic === undefined ? {} : { authorization: `Basic ${Buffer.from(basic).toString('base64')}` };
  const isSecure = url.startsWith('https:');
  const options = { headers, timeout: ANSWER_MS, ...(isSecure ? nodeTlsSettings(tls) : {}) };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? https : http).get(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too long'));
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
    request.on('error', reject);
  });
}
