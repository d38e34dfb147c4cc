/** Why a record or an event could not be passed on. The codes stand in dead letters, metrics and the ledger. */
export const deadLetterReasons = {
  not_framed:
    "The value does not begin with the Confluent wire format's magic byte and schema id, nor, on a native topic, like JSON.",
  unknown_schema: "The registry does not know the schema id.",
  wrong_schema: "The schema is not one of EventBatch (on a native topic, of Event) that this version can read.",
  not_json: "The value begins like JSON and is none.",
  limit_exceeded: "The event is larger, wider or deeper than is taken, or its time cannot be stored.",
  undecodable: "The bytes are not what their schema says.",
  count_mismatch: "The batch says another number of events than it holds.",
  redaction_failed: "A detector failed on this event, so it was not passed on.",
  too_large: "The redacted batch is larger than the topic allows.",
  refused_by_storage: "The storage refused this batch for good.",
} as const;

export type DeadLetterReason = keyof typeof deadLetterReasons;
