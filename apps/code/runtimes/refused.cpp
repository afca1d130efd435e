// Linked to every program: tells the sandbox that a refused allocation ended it.
#include <cstdlib>
#include <exception>
#include <new>
#include <unistd.h>

static void tell();
static const std::terminate_handler otherwise = std::set_terminate(tell);

static void tell() {
    const char *status = std::getenv("DUET_STATUS");
    try {
        if (status && std::current_exception()) throw;
    } catch (const std::bad_alloc &) {
        if (::write(std::atoi(status), "m", 1) < 0) std::abort();
    } catch (...) {
    }
    otherwise();
}
