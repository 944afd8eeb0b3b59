// What a parallel region orders, told to ThreadSanitizer: it does not see the barriers of the
// OpenMP runtime, which is compiled without it. In other builds these functions do nothing.
#pragma once

#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace gradc {

#ifdef __SANITIZE_THREAD__
// Of all regions: they must be read before anything that a region captures.
inline char fork_mark;
inline char join_mark;
/// By the thread that makes the region, in front of it.
inline void before_fork() { __tsan_release(&fork_mark); }
/// By each thread of the region, first and last.
inline void after_fork() { __tsan_acquire(&fork_mark); }
inline void before_join() { __tsan_release(&join_mark); }
/// By the thread that made the region, behind it.
inline void after_join() { __tsan_acquire(&join_mark); }
#else
inline void before_fork() {}
inline void after_fork() {}
inline void before_join() {}
inline void after_join() {}
#endif

}  // namespace gradc
