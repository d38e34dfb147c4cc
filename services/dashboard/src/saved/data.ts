/** Saved views: a page with the parameters of its address, under a name. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { get, Problem, patch, post, remove } from "../api/client.ts";

export const viewPages = ["explore", "tail", "patterns"] as const;
export type ViewPage = (typeof viewPages)[number];

export interface SavedView {
  readonly id: string;
  readonly name: string;
  readonly shared: boolean;
  readonly mine: boolean;
  readonly owner: { readonly id: string; readonly name: string };
  readonly content: { readonly page: ViewPage; readonly state: Readonly<Record<string, string>> };
  readonly updated_at: string;
}

export const hrefOf = ({ content: { page, state } }: Pick<SavedView, "content">): string =>
  `/${page}?${new URLSearchParams(state)}`;

/** None on a server that has no saved views. */
export const useViews = () =>
  useQuery({
    queryKey: ["views"],
    queryFn: async ({ signal }) => {
      try {
        return (await get<{ views: readonly SavedView[] }>("/views?limit=1000", signal)).views;
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return [];
        throw error;
      }
    },
    staleTime: 60_000,
    retry: false,
  });

const useChange = <Given, Made>(change: (given: Given) => Promise<Made>) => {
  const client = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => client.invalidateQueries({ queryKey: ["views"] }) });
};

export const useNewView = () =>
  useChange((given: Pick<SavedView, "name" | "shared" | "content">) => post<SavedView>("/views", given));
export const useViewChange = () =>
  useChange(({ id, ...given }: { id: string; name?: string; shared?: boolean }) =>
    patch<SavedView>(`/views/${id}`, given),
  );
export const useViewRemoval = () => useChange((id: string) => remove<undefined>(`/views/${id}`));

/** What an address holds beside what belongs to one moment only. */
export const stateOf = (search: string): Record<string, string> => {
  const parameters = new URLSearchParams(search);
  parameters.delete("event");
  parameters.delete("show");
  return Object.fromEntries(parameters);
};
