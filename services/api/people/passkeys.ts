/**
 * Passkeys (WebAuthn). A challenge is kept here, serves one purpose, and is gone with the first answer to it, right or
 * wrong. Origin and host must be those of PUBLIC_URL; the device must have verified its user (a finger, a face, a PIN),
 * so a passkey is two factors in one; a sign count that goes back tells of a copy and is refused.
 */
import { Fault } from "@astralog/chassis";
import type { PasskeyTable } from "@astralog/schemas/postgres";
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import type { Insertable, Selectable } from "kysely";
import { z } from "zod";
import { type Db, isUniqueViolation, type Trx } from "../postgres.ts";
import type { Person } from "./people.ts";

export type Passkey = Selectable<PasskeyTable>;
type NewPasskey = Insertable<PasskeyTable>;
type Purpose = "register" | "sign-in" | "second-factor";

export interface Passkeys {
  registration(person: Pick<Person, "id" | "email" | "name">): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** What the answer proves, to be added. Faults: `passkey_refused`. */
  register(person: string, name: string, answer: unknown): Promise<NewPasskey>;
  /** Faults: `passkey_refused` when it is somebody's already. */
  add(trx: Trx, passkey: NewPasskey): Promise<Passkey>;
  /** Without a person: any passkey of this site signs in. */
  challenge(person?: string): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** The passkey that answered, of that person if one is given. Faults: `passkey_refused`. */
  verify(answer: unknown, person?: string): Promise<Passkey>;
  list(db: Db | Trx, person: string): Promise<Passkey[]>;
  remove(trx: Trx, person: string, id: string): Promise<Passkey | undefined>;
}

const challengeMinutes = 5;
const most = 20;

const transports = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"] as const;
const text = z.string().max(8_192);
const common = { id: z.string().max(1_024), rawId: z.string().max(1_024), type: z.literal("public-key") };
/** What of a browser's answer is looked at; the rest of it is not ours. */
const registrationAnswer = z.object({
  ...common,
  response: z.object({
    clientDataJSON: text,
    attestationObject: z.string().max(32_768),
    transports: z.array(z.string()).max(16).optional(),
  }),
});
const assertionAnswer = z.object({
  ...common,
  response: z.object({ clientDataJSON: text, authenticatorData: text, signature: text, userHandle: text.optional() }),
});
const clientData = z.object({ challenge: z.string().max(256) });

const refused = (cause?: unknown): Fault =>
  new Fault("passkey_refused", "This passkey was not accepted. Try again, or use another way.", { cause });

const challengeIn = (clientDataJSON: string): string => {
  try {
    return clientData.parse(JSON.parse(Buffer.from(clientDataJSON, "base64url").toString())).challenge;
  } catch (error) {
    throw refused(error);
  }
};

const isTransport = (name: string): boolean => (transports as readonly string[]).includes(name);

export const createPasskeys = ({ db, publicUrl }: { db: Db; publicUrl: URL }): Passkeys => {
  const rpID = publicUrl.hostname;
  const expectedOrigin = publicUrl.origin;

  const keep = (challenge: string, purpose: Purpose, person: string | null) =>
    db
      .insertInto("webauthn_challenges")
      .values({ challenge, purpose, person, expires_at: new Date(Date.now() + challengeMinutes * 60_000) })
      .execute();

  /** Committed by itself: an answer that fails uses it up too. */
  const burn = async (challenge: string, purpose: Purpose, person: string | undefined): Promise<void> => {
    const row = await db
      .deleteFrom("webauthn_challenges")
      .where("challenge", "=", challenge)
      .where("purpose", "=", purpose)
      .where("expires_at", ">", new Date())
      .returning("person")
      .executeTakeFirst();
    if (row === undefined || row.person !== (person ?? null)) throw refused("no such challenge");
  };

  const list: Passkeys["list"] = (on, person) =>
    on.selectFrom("passkeys").selectAll().where("person", "=", person).orderBy("created_at").execute();

  return {
    registration: async (person) => {
      const known = await list(db, person.id);
      const options = await generateRegistrationOptions({
        rpName: "Astralog",
        rpID,
        userName: person.email,
        userDisplayName: person.name === "" ? person.email : person.name,
        userID: new TextEncoder().encode(person.id) as Uint8Array<ArrayBuffer>,
        attestationType: "none",
        excludeCredentials: known.map(({ id }) => ({ id })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
      await keep(options.challenge, "register", person.id);
      return options;
    },
    register: async (person, name, given) => {
      const answer = registrationAnswer.parse(given);
      const challenge = challengeIn(answer.response.clientDataJSON);
      await burn(challenge, "register", person);
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response: { ...answer, clientExtensionResults: {} } as RegistrationResponseJSON,
        expectedChallenge: challenge,
        expectedOrigin,
        expectedRPID: rpID,
        requireUserVerification: true,
      }).catch((error: unknown) => {
        throw refused(error);
      });
      if (!verified) throw refused();
      const { credential, credentialBackedUp, credentialDeviceType } = registrationInfo;
      return {
        id: credential.id,
        person,
        name,
        public_key: Buffer.from(credential.publicKey),
        sign_count: credential.counter,
        transports: (answer.response.transports ?? []).filter(isTransport),
        synced: credentialBackedUp || credentialDeviceType === "multiDevice",
        used_at: null,
      };
    },
    add: async (trx, passkey) => {
      if ((await list(trx, passkey.person)).length >= most)
        throw new Fault("invalid_request", `An account may have ${most} passkeys; remove one first.`);
      try {
        return await trx.insertInto("passkeys").values(passkey).returningAll().executeTakeFirstOrThrow();
      } catch (error) {
        if (isUniqueViolation(error)) throw refused(error);
        throw error;
      }
    },
    challenge: async (person) => {
      const known = person === undefined ? [] : await list(db, person);
      const options = await generateAuthenticationOptions({
        rpID,
        userVerification: "required",
        allowCredentials: known.map(({ id, transports: on }) => ({ id, transports: on.filter(isTransport) })),
      });
      await keep(options.challenge, person === undefined ? "sign-in" : "second-factor", person ?? null);
      return options;
    },
    verify: async (given, person) => {
      const answer = assertionAnswer.parse(given);
      const challenge = challengeIn(answer.response.clientDataJSON);
      await burn(challenge, person === undefined ? "sign-in" : "second-factor", person);
      const known = await db.selectFrom("passkeys").selectAll().where("id", "=", answer.id).executeTakeFirst();
      if (known === undefined || (person !== undefined && known.person !== person)) throw refused();
      const handle = answer.response.userHandle;
      if (handle !== undefined && Buffer.from(handle, "base64url").toString() !== known.person) throw refused();
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: { ...answer, clientExtensionResults: {} } as AuthenticationResponseJSON,
        expectedChallenge: challenge,
        expectedOrigin,
        expectedRPID: rpID,
        requireUserVerification: true,
        credential: { id: known.id, publicKey: new Uint8Array(known.public_key), counter: known.sign_count },
      }).catch((error: unknown) => {
        throw refused(error);
      });
      if (!verified) throw refused();
      const { newCounter, credentialBackedUp } = authenticationInfo;
      // Only from the count that was looked at: of two answers with one count, one is from a copy.
      const used = await db
        .updateTable("passkeys")
        .set({ sign_count: newCounter, used_at: new Date(), synced: credentialBackedUp })
        .where("id", "=", known.id)
        .where("sign_count", "=", known.sign_count)
        .returningAll()
        .executeTakeFirst();
      if (used === undefined) throw refused();
      return used;
    },
    list,
    remove: (trx, person, id) =>
      trx.deleteFrom("passkeys").where("person", "=", person).where("id", "=", id).returningAll().executeTakeFirst(),
  };
};
