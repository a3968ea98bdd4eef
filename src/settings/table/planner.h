// Planner method switches and cost constants.
//
// A list for the macros explained in settings/setting_list.h.
// clang-format off

#define CATEGORY "Query Tuning / Genetic Query Optimizer"
BOOLEAN(kGeqo, "geqo", kUser, kExplain, true, "genetic join search on")
INTEGER(kGeqoEffort, "geqo_effort", kUser, kExplain, kNoUnit, 5, 1, 10, "genetic search effort")
INTEGER(kGeqoGenerations, "geqo_generations", kUser, kExplain, kNoUnit, 0, 0, kMaxInt,
        "genetic search generations")
INTEGER(kGeqoPoolSize, "geqo_pool_size", kUser, kExplain, kNoUnit, 0, 0, kMaxInt,
        "genetic search pool")
REAL(kGeqoSeed, "geqo_seed", kUser, kExplain, kNoUnit, 0, 0, 1, "genetic search random seed")
REAL(kGeqoSelectionBias, "geqo_selection_bias", kUser, kExplain, kNoUnit, 2, 1.5, 2,
     "genetic search selection pressure")
INTEGER(kGeqoThreshold, "geqo_threshold", kUser, kExplain, kNoUnit, 12, 2, kMaxInt,
        "FROM size that starts genetic search")
#undef CATEGORY

#define CATEGORY "Query Tuning / Other Planner Options"
ENUM(kConstraintExclusion, "constraint_exclusion", kUser, kExplain,
     ConstraintExclusion, kConstraintExclusionOptions, "partition",
     "use constraints to skip tables in planning")
REAL(kCursorTupleFraction, "cursor_tuple_fraction", kUser, kExplain, kNoUnit, 0.1, 0, 1,
     "share of a cursor's rows expected to be fetched")
INTEGER(kDefaultStatisticsTarget, "default_statistics_target", kUser, kLive, kNoUnit, 100, 1, 10000,
        "default depth of column statistics")
INTEGER(kFromCollapseLimit, "from_collapse_limit", kUser, kExplain, kNoUnit, 8, 1, kMaxInt,
        "flatten subqueries up to this FROM size")
BOOLEAN(kJit, "jit", kUser, kExplain, true, "allow JIT compiling")
INTEGER(kJoinCollapseLimit, "join_collapse_limit", kUser, kExplain, kNoUnit, 8, 1, kMaxInt,
        "flatten explicit JOINs up to this size")
ENUM(kPlanCacheMode, "plan_cache_mode", kUser, kExplain,
     PlanCacheMode, kPlanCacheModeOptions, "auto",
     "custom or generic plans for prepared statements")
REAL(kRecursiveWorktableFactor, "recursive_worktable_factor", kUser, kExplain,
     kNoUnit, 10, 0.001, 1000000, "guess of recursive worktable size")
#undef CATEGORY

#define CATEGORY "Query Tuning / Planner Cost Constants"
REAL(kCpuIndexTupleCost, "cpu_index_tuple_cost", kUser, kExplain | kLive, kNoUnit, 0.005, 0,
     kMaxReal,
     "planner cost per index entry")
REAL(kCpuOperatorCost, "cpu_operator_cost", kUser, kExplain | kLive, kNoUnit, 0.0025, 0, kMaxReal,
     "planner cost per operator call")
REAL(kCpuTupleCost, "cpu_tuple_cost", kUser, kExplain | kLive, kNoUnit, 0.01, 0, kMaxReal,
     "planner cost per row")
INTEGER(kEffectiveCacheSize, "effective_cache_size", kUser, kExplain | kLive, kBlocks, 524288, 1,
        kMaxInt,
        "planner's guess of total cache size")
REAL(kJitAboveCost, "jit_above_cost", kUser, kExplain, kNoUnit, 100000, -1, kMaxReal,
     "plan cost that enables JIT")
REAL(kJitInlineAboveCost, "jit_inline_above_cost", kUser, kExplain, kNoUnit, 500000, -1, kMaxReal,
     "plan cost that enables JIT inlining")
REAL(kJitOptimizeAboveCost, "jit_optimize_above_cost", kUser, kExplain,
     kNoUnit, 500000, -1, kMaxReal, "plan cost that enables full JIT optimising")
INTEGER(kMinParallelIndexScanSize, "min_parallel_index_scan_size", kUser, kExplain,
        kBlocks, 64, 0, 715827882, "least index size for parallel scan")
INTEGER(kMinParallelTableScanSize, "min_parallel_table_scan_size", kUser, kExplain,
        kBlocks, 1024, 0, 715827882, "least table size for parallel scan")
REAL(kParallelSetupCost, "parallel_setup_cost", kUser, kExplain, kNoUnit, 1000, 0, kMaxReal,
     "planner cost to start parallel workers")
REAL(kParallelTupleCost, "parallel_tuple_cost", kUser, kExplain, kNoUnit, 0.1, 0, kMaxReal,
     "planner cost to pass a row between processes")
REAL(kRandomPageCost, "random_page_cost", kUser, kExplain | kLive, kNoUnit, 4, 0, kMaxReal,
     "planner cost of a random page")
REAL(kSeqPageCost, "seq_page_cost", kUser, kExplain | kLive, kNoUnit, 1, 0, kMaxReal,
     "planner cost of a sequential page")
#undef CATEGORY

#define CATEGORY "Query Tuning / Planner Method Configuration"
BOOLEAN(kEnableAsyncAppend, "enable_async_append", kUser, kExplain, true,
        "planner may run Append children asynchronously")
BOOLEAN(kEnableBitmapscan, "enable_bitmapscan", kUser, kExplain | kLive, true,
        "planner may use bitmap scans")
BOOLEAN(kEnableGathermerge, "enable_gathermerge", kUser, kExplain, true,
        "planner may use Gather Merge")
BOOLEAN(kEnableHashagg, "enable_hashagg", kUser, kExplain, true,
        "planner may use hashed aggregation")
BOOLEAN(kEnableHashjoin, "enable_hashjoin", kUser, kExplain | kLive, true,
        "planner may use hash joins")
BOOLEAN(kEnableIncrementalSort, "enable_incremental_sort", kUser, kExplain, true,
        "planner may use incremental sort")
BOOLEAN(kEnableIndexonlyscan, "enable_indexonlyscan", kUser, kExplain | kLive, true,
        "planner may use index-only scans")
BOOLEAN(kEnableIndexscan, "enable_indexscan", kUser, kExplain | kLive, true,
        "planner may use index scans")
BOOLEAN(kEnableMaterial, "enable_material", kUser, kExplain | kLive, true,
        "planner may materialize")
BOOLEAN(kEnableMemoize, "enable_memoize", kUser, kExplain, true,
        "planner may memoize inner results")
BOOLEAN(kEnableMergejoin, "enable_mergejoin", kUser, kExplain, true, "planner may use merge joins")
BOOLEAN(kEnableNestloop, "enable_nestloop", kUser, kExplain | kLive, true,
        "planner may use nested loops")
BOOLEAN(kEnableParallelAppend, "enable_parallel_append", kUser, kExplain, true,
        "planner may use parallel Append")
BOOLEAN(kEnableParallelHash, "enable_parallel_hash", kUser, kExplain, true,
        "planner may use parallel hash")
BOOLEAN(kEnablePartitionPruning, "enable_partition_pruning", kUser, kExplain, true,
        "prune partitions at plan and run time")
BOOLEAN(kEnablePartitionwiseAggregate, "enable_partitionwise_aggregate", kUser, kExplain, false,
        "aggregate partition by partition")
BOOLEAN(kEnablePartitionwiseJoin, "enable_partitionwise_join", kUser, kExplain, false,
        "join partition by partition")
BOOLEAN(kEnableSeqscan, "enable_seqscan", kUser, kExplain | kLive, true,
        "planner may use sequential scans")
BOOLEAN(kEnableSort, "enable_sort", kUser, kExplain, true, "planner may use explicit sorts")
BOOLEAN(kEnableTidscan, "enable_tidscan", kUser, kExplain, true, "planner may use TID scans")
#undef CATEGORY
