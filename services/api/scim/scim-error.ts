/** What SCIM answers when it cannot do what was asked, in RFC 7644's form. */
export type ScimType =
  | "invalidFilter"
  | "tooMany"
  | "uniqueness"
  | "mutability"
  | "invalidSyntax"
  | "invalidPath"
  | "invalidValue";

export class ScimError extends Error {
  override readonly name = "ScimError";
  readonly status: number;
  readonly scimType: ScimType | undefined;
  constructor(status: number, detail: string, scimType?: ScimType) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}

export const noSuch = (what: string): ScimError => new ScimError(404, `There is no such ${what}.`);
export const invalidValue = (detail: string): ScimError => new ScimError(400, detail, "invalidValue");
export const taken = (detail: string): ScimError => new ScimError(409, detail, "uniqueness");

export const errorBody = ({ status, scimType, message }: ScimError) => ({
  schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
  status: String(status),
  ...(scimType === undefined ? {} : { scimType }),
  detail: message,
});
