/* Stands in for tree_sitter/parser.h where the lexer of a grammar's parser.c is compiled: its macros take one step and
   return it in g_next, g_skip and g_accept. The types are those of ABI 14 and 15 that come before the parse table. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t TSStateId;
typedef uint16_t TSSymbol;
typedef uint16_t TSFieldId;
typedef struct { TSFieldId field_id; uint8_t child_index; bool inherited; } TSFieldMapEntry;
typedef struct { uint16_t index, length; } TSMapSlice;
typedef TSMapSlice TSFieldMapSlice;
typedef struct { bool visible, named, supertype; } TSSymbolMetadata;
typedef struct { int32_t start, end; } TSCharacterRange;

typedef struct TSLexer TSLexer;
struct TSLexer {
  int32_t lookahead;
  bool (*eof)(const TSLexer *);
};

#define ts_builtin_sym_end 0
#define UNUSED __attribute__((unused))

static inline bool set_contains(const TSCharacterRange *ranges, uint32_t count, int32_t lookahead) {
  for (uint32_t i = 0; i < count; i++)
    if (ranges[i].start <= lookahead && lookahead <= ranges[i].end) return true;
  return false;
}

extern int g_next, g_skip, g_accept;

#define START_LEXER() \
  bool result = false; bool skip = false; UNUSED bool eof = false; int32_t lookahead; \
  if (0) { next_state: g_next = state; g_skip = skip; return true; } \
  lookahead = lexer->lookahead; eof = lexer->eof(lexer);

#define ADVANCE(state_value) { state = state_value; goto next_state; }

#define ADVANCE_MAP(...) { \
    static const uint16_t map[] = { __VA_ARGS__ }; \
    for (uint32_t i = 0; i < sizeof(map) / sizeof(map[0]); i += 2) \
      if (map[i] == lookahead) { state = map[i + 1]; goto next_state; } \
  }

#define SKIP(state_value) { skip = true; state = state_value; goto next_state; }

#define ACCEPT_TOKEN(symbol_value) { result = true; g_accept = symbol_value; }

#define END_STATE() return result;
