import type { JuteReader, JuteWriter } from '../../protocol/index.js';
import { PeerRefused } from './peer-refused.js';

/** From this version of the peer protocol on members tell each other what they were started with. */
const FIRST_WITH_SETTINGS = 3;
/** More than a member has; what another one says is not taken on trust. */
const MOST_SETTINGS = 1_000;

/** Settings that are to be the same on all members, as text, by the name of the option. */
export type MemberSettings = ReadonlyMap<string, string>;

/** A setting of this member that another one has with another value. */
export interface SettingDifference {
  readonly setting: string;
  readonly here: string;
  readonly there: string;
}

export const NO_SETTINGS: MemberSettings = new Map();

export function writeSettings(writer: JuteWriter, version: number, settings: MemberSettings): void {
  if (version < FIRST_WITH_SETTINGS) return;
  writer.writeInt(settings.size);
  for (const [setting, value] of settings) {
    writer.writeString(setting);
    writer.writeString(value);
  }
}

/** None in a version that has no settings. Throws `PeerRefused`. */
export function readSettings(reader: JuteReader, version: number): MemberSettings {
  if (version < FIRST_WITH_SETTINGS) return NO_SETTINGS;
  const count = reader.readInt();
  if (count < 0 || count > MOST_SETTINGS) throw new PeerRefused(`the other end sent ${count} settings`);
  const settings = new Map<string, string>();
  for (let left = count; left > 0; left--) settings.set(reader.readText(), reader.readText());
  return settings;
}

/** Only of settings that both know: an older version lacks some. */
export function settingDifferences(
  own: MemberSettings,
  theirs: MemberSettings,
): readonly SettingDifference[] {
  return [...own].flatMap(([setting, here]) => {
    const there = theirs.get(setting);
    return there === undefined || there === here ? [] : [{ setting, here, there }];
  });
}
