// Calls a function on each line of stdin: its number and arguments in, as JSON, and the result out. Types come from the
// function itself.
#include <bits/stdc++.h>

namespace duet_driver {

struct Value {
    enum Kind { null, boolean, number, text, list } kind = null;
    bool truth = false;
    double real = 0;
    long long whole = 0;
    bool is_whole = false;
    std::string string;
    std::vector<Value> items;
};

struct Reader {
    const char *at;
    explicit Reader(const std::string &line) : at(line.c_str()) {}

    [[noreturn]] void fail(const std::string &what) { throw std::invalid_argument("argument: " + what); }
    void blanks() { while (*at && std::isspace((unsigned char)*at)) ++at; }

    Value value() {
        blanks();
        Value v;
        if (*at == '[') {
            v.kind = Value::list;
            ++at;
            blanks();
            if (*at == ']') { ++at; return v; }
            for (;;) {
                v.items.push_back(value());
                blanks();
                if (*at == ',') { ++at; continue; }
                if (*at == ']') { ++at; return v; }
                fail("expected , or ]");
            }
        }
        if (*at == '"') { v.kind = Value::text; v.string = text(); return v; }
        if (!std::strncmp(at, "true", 4)) { at += 4; v.kind = Value::boolean; v.truth = true; return v; }
        if (!std::strncmp(at, "false", 5)) { at += 5; v.kind = Value::boolean; return v; }
        if (!std::strncmp(at, "null", 4)) { at += 4; return v; }
        v.kind = Value::number;
        const char *start = at;
        char *end;
        v.real = std::strtod(start, &end);
        if (end == start) fail("no value");
        std::string digits(start, std::size_t(end - start));
        v.is_whole = digits.find_first_of(".eEnN") == std::string::npos;
        if (v.is_whole) v.whole = std::strtoll(start, nullptr, 10);
        at = end;
        return v;
    }

    std::string text() {
        std::string out;
        for (++at; *at != '"'; ++at) {
            if (!*at) fail("open string");
            if (*at != '\\') { out += *at; continue; }
            switch (*++at) {
                case 'n': out += '\n'; break;
                case 't': out += '\t'; break;
                case 'r': out += '\r'; break;
                case 'b': out += '\b'; break;
                case 'f': out += '\f'; break;
                case 'u': {
                    unsigned code = std::stoul(std::string(at + 1, at + 5), nullptr, 16);
                    at += 4;
                    if (code < 0x80) out += char(code);
                    else if (code < 0x800) { out += char(0xC0 | code >> 6); out += char(0x80 | (code & 63)); }
                    else { out += char(0xE0 | code >> 12); out += char(0x80 | (code >> 6 & 63)); out += char(0x80 | (code & 63)); }
                    break;
                }
                default: out += *at;
            }
        }
        ++at;
        return out;
    }
};

[[noreturn]] inline void mismatch(const char *wanted) { throw std::invalid_argument(std::string("argument is no ") + wanted); }

template <class T, class = void> struct From;

template <> struct From<bool> {
    static bool of(const Value &v) { if (v.kind != Value::boolean) mismatch("bool"); return v.truth; }
};
template <> struct From<char> {
    static char of(const Value &v) { if (v.kind != Value::text || v.string.size() != 1) mismatch("char"); return v.string[0]; }
};
template <> struct From<std::string> {
    static std::string of(const Value &v) { if (v.kind != Value::text) mismatch("string"); return v.string; }
};
template <class T> struct From<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool> && !std::is_same_v<T, char>>> {
    static T of(const Value &v) {
        if (v.kind != Value::number || !v.is_whole) mismatch("integer");
        if (std::is_signed_v<T> && (v.whole > (long long)std::numeric_limits<T>::max() || v.whole < (long long)std::numeric_limits<T>::min())) mismatch("integer of that size");
        return T(v.whole);
    }
};
template <class T> struct From<T, std::enable_if_t<std::is_floating_point_v<T>>> {
    static T of(const Value &v) { if (v.kind != Value::number) mismatch("number"); return T(v.real); }
};
template <class T> struct From<std::vector<T>> {
    static std::vector<T> of(const Value &v) {
        if (v.kind != Value::list) mismatch("list");
        std::vector<T> out;
        for (const Value &item : v.items) out.push_back(From<std::decay_t<T>>::of(item));
        return out;
    }
};
template <class T> struct From<std::list<T>> {
    static std::list<T> of(const Value &v) { auto all = From<std::vector<T>>::of(v); return {all.begin(), all.end()}; }
};
template <class T> struct From<std::set<T>> {
    static std::set<T> of(const Value &v) { auto all = From<std::vector<T>>::of(v); return {all.begin(), all.end()}; }
};
template <class A, class B> struct From<std::pair<A, B>> {
    static std::pair<A, B> of(const Value &v) {
        if (v.kind != Value::list || v.items.size() != 2) mismatch("pair");
        return {From<A>::of(v.items[0]), From<B>::of(v.items[1])};
    }
};
template <class T> struct From<std::optional<T>> {
    static std::optional<T> of(const Value &v) { if (v.kind == Value::null) return std::nullopt; return From<T>::of(v); }
};

inline void show(std::ostream &out, bool v) { out << (v ? "true" : "false"); }
inline void show(std::ostream &out, const std::string &v) {
    out << '"';
    for (unsigned char c : v) {
        if (c == '"' || c == '\\') out << '\\' << c;
        else if (c < 0x20) { char code[8]; std::snprintf(code, sizeof code, "\\u%04x", c); out << code; }
        else out << c;
    }
    out << '"';
}
inline void show(std::ostream &out, const char *v) { show(out, std::string(v)); }
inline void show(std::ostream &out, char v) { show(out, std::string(1, v)); }
template <class T> std::enable_if_t<std::is_integral_v<T>> show(std::ostream &out, T v) { out << +v; }
template <class T> std::enable_if_t<std::is_floating_point_v<T>> show(std::ostream &out, T v) {
    if (std::isfinite(v)) out << std::setprecision(17) << v; else out << "null";
}
template <class A, class B> void show(std::ostream &out, const std::pair<A, B> &v);
template <class T> void show(std::ostream &out, const std::optional<T> &v);
template <class T> auto show(std::ostream &out, const T &v) -> decltype(v.begin(), v.end(), void()) {
    out << '[';
    bool first = true;
    for (const auto &item : v) {
        if (!first) out << ", ";
        first = false;
        show(out, static_cast<const typename T::value_type &>(item));
    }
    out << ']';
}
template <class A, class B> void show(std::ostream &out, const std::pair<A, B> &v) {
    out << '['; show(out, v.first); out << ", "; show(out, v.second); out << ']';
}
template <class T> void show(std::ostream &out, const std::optional<T> &v) { if (v) show(out, *v); else out << "null"; }

// Nodes of a list or a tree, ours or the program's own: known by their members.
template <class T, class = void> struct IsList : std::false_type {};
template <class T> struct IsList<T, std::void_t<decltype(T::val), decltype(T::next)>> : std::is_same<decltype(T::next), T *> {};
template <class T, class = void> struct IsTree : std::false_type {};
template <class T> struct IsTree<T, std::void_t<decltype(T::val), decltype(T::left), decltype(T::right)>> : std::is_same<decltype(T::left), T *> {};

template <class T, class V> T *new_node(V value) {
    T *node;
    if constexpr (std::is_default_constructible_v<T>) node = new T();
    else node = new T(value);
    node->val = value;
    return node;
}

template <class T> struct From<T *, std::enable_if_t<IsList<T>::value>> {
    static T *of(const Value &v) {
        T *head = nullptr, **end = &head;
        for (auto item : From<std::vector<decltype(T::val)>>::of(v)) {
            *end = new_node<T>(item);
            (*end)->next = nullptr;
            end = &(*end)->next;
        }
        return head;
    }
};
template <class T> std::enable_if_t<IsList<T>::value> show(std::ostream &out, T *node) {
    std::vector<decltype(T::val)> values;
    for (; node; node = node->next) {
        values.push_back(node->val);
        if (values.size() > 100000) throw std::runtime_error("the list has a cycle");
    }
    show(out, values);
}
template <class T> struct From<T *, std::enable_if_t<IsTree<T>::value>> {
    static T *node_of(const Value &v) {
        T *node = new_node<T>(From<decltype(T::val)>::of(v));
        node->left = node->right = nullptr;
        return node;
    }
    static T *of(const Value &v) {
        if (v.kind != Value::list) mismatch("tree");
        if (v.items.empty() || v.items[0].kind == Value::null) return nullptr;
        T *root = node_of(v.items[0]);
        std::deque<T *> waiting{root};
        for (std::size_t i = 1; i < v.items.size() && !waiting.empty(); waiting.pop_front())
            for (T **child : {&waiting.front()->left, &waiting.front()->right}) {
                if (i < v.items.size() && v.items[i].kind != Value::null) {
                    *child = node_of(v.items[i]);
                    waiting.push_back(*child);
                }
                ++i;
            }
        return root;
    }
};
template <class T> std::enable_if_t<IsTree<T>::value> show(std::ostream &out, T *root) {
    std::vector<std::string> values;
    std::deque<T *> waiting{root};
    for (; !waiting.empty(); waiting.pop_front()) {
        T *node = waiting.front();
        std::ostringstream value;
        if (node) { show(value, node->val); waiting.push_back(node->left); waiting.push_back(node->right); }
        else value << "null";
        values.push_back(value.str());
        if (values.size() > 200000) throw std::runtime_error("the tree has a cycle");
    }
    while (!values.empty() && values.back() == "null") values.pop_back();
    out << '[';
    for (std::size_t i = 0; i < values.size(); ++i) out << (i ? ", " : "") << values[i];
    out << ']';
}

using Tell = void (*)(const char *text, unsigned long size);

template <class R, class... A, class Call> void answer(Tell tell, Call call, const Value &arguments, R *, std::tuple<A...> *) {
    std::ostringstream out;
    try {
        if (arguments.items.size() != sizeof...(A)) mismatch("list of as many as the function takes");
        std::size_t i = 0;
        std::tuple<std::decay_t<A>...> values{From<std::decay_t<A>>::of(arguments.items[i++])...};
        if constexpr (std::is_void_v<R>) { std::apply(call, values); out << "null"; }
        else show(out, std::apply(call, values));
    } catch (const std::exception &error) {
        out.str("");
        out << '!' << error.what();
    }
    std::string text = out.str();
    std::replace(text.begin(), text.end(), '\n', ' ');
    tell(text.data(), text.size());
}

template <class R, class C, class... A> void call(Tell tell, const Value &given, R (C::*method)(A...)) {
    answer<R, A...>(tell, [&](auto &...a) -> R { C object; return (object.*method)(a...); }, given, (std::remove_reference_t<R> *)nullptr, (std::tuple<A...> *)nullptr);
}
template <class R, class C, class... A> void call(Tell tell, const Value &given, R (C::*method)(A...) const) {
    answer<R, A...>(tell, [&](auto &...a) -> R { C object; return (object.*method)(a...); }, given, (std::remove_reference_t<R> *)nullptr, (std::tuple<A...> *)nullptr);
}
template <class R, class... A> void call(Tell tell, const Value &given, R (*function)(A...)) {
    answer<R, A...>(tell, [&](auto &...a) -> R { return function(a...); }, given, (std::remove_reference_t<R> *)nullptr, (std::tuple<A...> *)nullptr);
}
template <class... F> void run(Tell tell, F... functions) {
    for (std::string line; std::getline(std::cin, line);) {
        Value called = Reader(line).value();
        long long number = 0;
        ((number++ == called.items[0].whole ? call(tell, called.items[1], functions) : void()), ...);
    }
}

}  // namespace duet_driver
