// Each cluster keeps two cores busy; side by side they would only make one another's deadlines pass.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
