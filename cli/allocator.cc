// How the program's allocator is set up: jemalloc reads this before `main`.
//
// One arena for all threads. With more of them, a thread that begins when the system gives no more
// memory is left without one, and jemalloc 5.3 ends the process by a signal where `new` should
// throw. Threads have caches of their own before it, so that they seldom meet there.
extern "C" {
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): the name and type are theirs
const char* malloc_conf = "narenas:1";
}
