/** config.xml and users.xml of the embedded ClickHouse. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type ClickHouseUser, clickhouseProfiles, clickhouseUsers } from "@astralog/schemas/clickhouse";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;
const networks = "<networks><ip>127.0.0.1</ip><ip>::1</ip></networks>";

/** The key of the encrypted disk comes from here, so that it is in no file of the server's. */
export const diskKeyVariable = "ASTRALOG_CLICKHOUSE_DISK_KEY";

/**
 * All tables lie on a disk that the engine encrypts, whatever their CREATE says: rows, indexes, and what of large sorts is
 * put aside. What tables are named and how they are made lies beside it in the clear.
 */
const encryptedDisk = (dir: string): string =>
  element(
    "storage_configuration",
    element(
      "disks",
      element("files", element("type", "local") + element("path", `${join(dir, "files")}/`)) +
        element(
          "encrypted",
          `${element("type", "encrypted")}${element("disk", "files")}${element("path", "tables/")}${element("algorithm", "AES_256_CTR")}<key_hex from_env="${diskKeyVariable}"/>`,
        ),
    ) + element("policies", element("encrypted", element("volumes", element("main", element("disk", "encrypted"))))),
  ) + element("merge_tree", element("storage_policy", "encrypted"));

/** `more`: elements besides, such as a Keeper's and a cluster's. */
export const configXml = (options: { dir: string; port: number; log: string; more?: string }): string =>
  element(
    "clickhouse",
    [
      element("users_config", join(options.dir, "conf", "users.xml")),
      element("listen_host", "127.0.0.1"),
      element("http_port", String(options.port)),
      encryptedDisk(options.dir),
      "<access_control_improvements><settings_constraints_replace_previous>true</settings_constraints_replace_previous><select_from_system_db_requires_grant>true</select_from_system_db_requires_grant><select_from_information_schema_requires_grant>true</select_from_information_schema_requires_grant></access_control_improvements>",
      element(
        "logger",
        `<level>information</level><log>${escapeXml(options.log)}</log><errorlog>${escapeXml(options.log)}.errors</errorlog><size>20M</size><count>2</count>`,
      ),
      options.more ?? "",
    ].join("\n"),
  );

const profile = ([name, { settings, changeable }]: [
  string,
  (typeof clickhouseProfiles)[ClickHouseUser["profile"]],
]): string =>
  element(
    name,
    Object.entries(settings)
      .map(([key, value]) => element(key, String(value)))
      .join("") +
      element(
        "constraints",
        Object.entries(changeable)
          .map(([key, max]) =>
            element(key, `${max === null ? "" : `<min>1</min><max>${max}</max>`}<changeable_in_readonly/>`),
          )
          .join(""),
      ),
  );

const user = (
  database: string,
  { name, profile: profileName, grants, rows, login }: ClickHouseUser,
  password: string,
): string =>
  element(
    name,
    [
      element("password_sha256_hex", sha256(password)),
      // Without an address in the list, nobody may connect.
      login ? networks : "<networks></networks>",
      element("profile", profileName),
      element("quota", "default"),
      element("grants", grants.map((grant) => element("query", grant)).join("")),
      rows === undefined
        ? ""
        : element(
            "databases",
            element(
              database,
              Object.entries(rows)
                .map(([table, filter]) => element(table, element("filter", escapeXml(filter))))
                .join(""),
            ),
          ),
    ].join(""),
  );

/** One who is none of ours, as on a server that is somebody else's. */
export interface OtherUser {
  readonly name: string;
  readonly password: string;
  /** Without the `TO user`. */
  readonly grants: readonly string[];
}

const otherUser = ({ name, password, grants }: OtherUser): string =>
  element(
    name,
    [
      ...[element("password_sha256_hex", sha256(password)), networks],
      ...[element("profile", "default"), element("quota", "default")],
      element("grants", grants.map((grant) => element("query", grant)).join("")),
    ].join(""),
  );

/**
 * Besides the table's users there are two: `default`, as which the engine itself starts (without a password, so it may
 * open listeners and nothing else), and `stopper`, which may end that session and so stop the server.
 */
export const usersXml = (options: {
  database: string;
  passwordOf: (user: string) => string;
  stopPassword: string;
  others?: readonly OtherUser[];
}): string =>
  element(
    "clickhouse",
    [
      element(
        "profiles",
        `<default/>${Object.entries(clickhouseProfiles).map(profile).join("\n")}<boot><function_sleep_max_microseconds_per_block>0</function_sleep_max_microseconds_per_block></boot>`,
      ),
      "<quotas><default/></quotas>",
      element(
        "users",
        [
          `<default><password></password>${networks}<profile>boot</profile><quota>default</quota><grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants></default>`,
          `<stopper><password_sha256_hex>${sha256(options.stopPassword)}</password_sha256_hex>${networks}<profile>default</profile><quota>default</quota><grants><query>GRANT KILL QUERY ON *.*</query><query>GRANT SELECT ON system.processes</query></grants></stopper>`,
          ...clickhouseUsers(options.database).map((one) => user(options.database, one, options.passwordOf(one.name))),
          ...(options.others ?? []).map(otherUser),
        ].join("\n"),
      ),
    ].join("\n"),
  );
